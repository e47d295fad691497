// Prints what the agent's one object is made of, in bytes, for scripts/footprint.sh. Compiled
// alone: sizes need no library.
#include <cstdio>

#include "device/agent/agent.hpp"

int main() {
  using namespace otaria::device;
  const struct {
    const char* what;
    std::size_t bytes;
  } rows[] = {
      {"message buffer (one MQTT packet)", otaria::contract::max_packet_bytes},
      {"slot writer, with the 512-byte transfer buffer", sizeof(SlotWriter)},
      {"ledger: the update in hand, outcomes, attempts, floors", sizeof(Ledger)},
      {"key store; the lists themselves stay in flash", sizeof(KeyStore)},
      {"hash of signed files", sizeof(PsaHasher)},
      {"journal", sizeof(Journal)},
      {"reporter", sizeof(Reporter)},
      {"image checker", sizeof(ImageChecker)},
      {"hash of the file", sizeof(Sha256)},
      {"response head", sizeof(ResponseHead)},
      {"**the whole agent, all of these included**", sizeof(Agent)},
  };
  for (const auto& row : rows) std::printf("%s %zu\n", row.what, row.bytes);
}
