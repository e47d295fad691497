#include "operator/cli/interrupt.hpp"

#include <csignal>

namespace otaria::cli {
namespace {
volatile std::sig_atomic_t caught = 0;
void remember(int /*signal*/) {
  caught = 1;
}
}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = remember;
  // No SA_RESTART: a wait that is going on ends at once. SA_RESETHAND: the second signal is not
  // caught.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return caught != 0;
}

}  // namespace otaria::cli
