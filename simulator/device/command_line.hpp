#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <variant>

#include "simulator/chip/provision.hpp"
#include "simulator/device/virtual_device.hpp"
#include "simulator/faults/fault_plan.hpp"

namespace otaria::simulator {

/// What `otaria-device` was asked to do.
struct CommandLine {
  std::filesystem::path flash;

  bool provision = false;
  std::filesystem::path factory_image;
  IdentityWish identity;
  std::uint32_t flash_bytes = 8 * VirtualFlash::megabyte;
  std::string key_list;  ///< the signed file; empty: none
  std::string claim;     ///< one-time secret for enrolment; empty: none
  TlsClient client;      ///< what it shows to servers that ask; empty: nothing
  bool overwrite = false;

  bool run = false;
  DeviceOptions options;  ///< its seed for provisioning too
  FaultPlan faults;
  std::filesystem::path log;  ///< empty: standard output
  bool verbose = false;

  bool info = false;
  bool wear = false;
  bool json = false;
};

/// Exit codes of the program.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int not_confirmed =
    1;  ///< --run-seconds passed before --exit-when-confirmed came true
inline constexpr int usage = 2;
inline constexpr int unusable = 3;  ///< the flash file, or what lies in it
}  // namespace exit_code

/// The command line, or the exit code when there is nothing more to do: 0 after --help and
/// --version (to `out`), 2 with the reason on `errors`. Reads the files of --ca, --keylist and
/// --token-file.
std::variant<CommandLine, int> parse_command_line(int argc,
                                                  const char* const* argv,
                                                  std::ostream& out,
                                                  std::ostream& errors);

}  // namespace otaria::simulator
