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
      {"token client, with the token; answers are read as they arrive", sizeof(TokenClient)},
      {"journal", sizeof(Journal)},
      {"reporter", sizeof(Reporter)},
      {"image checker, with the hash of the file", sizeof(ImageChecker)},
      {"response head", sizeof(ResponseHead)},
      {"verification: key store; the lists themselves stay in flash", sizeof(KeyStore)},
      {"verification: hash of signed files", sizeof(PsaHasher)},
      {"verification: what the ledger keeps for it", Ledger::verification_bytes},
      {"verification: where and when to fetch",
       Agent::verification_bytes - sizeof(KeyStore) - sizeof(PsaHasher) -
           Ledger::verification_bytes},
      {"**the whole agent, identity, limits and times of steps included**", sizeof(Agent)},
      {"**of it verification (bar 4,096)**", Agent::verification_bytes},
      {"**without verification (bar 6,144)**", sizeof(Agent) - Agent::verification_bytes},
  };
  for (const auto& row : rows) std::printf("%s %zu\n", row.what, row.bytes);
}
