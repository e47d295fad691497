#pragma once

namespace otaria::cli {

/// From here on SIGINT and SIGTERM set a flag in place of ending the process, so that a verb can
/// say what goes on without it. A second signal ends the process as usual.
void catch_interrupts();

/// True once one of them came.
bool interrupted();

}  // namespace otaria::cli
