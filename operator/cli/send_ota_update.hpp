#pragma once

#include <string>
#include <vector>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct SendOtaUpdateArguments {
  std::string version;
  std::string url;
  std::string signature;  ///< empty: fetch and hash
  std::vector<std::string> devices;
  std::string devices_file;  ///< one id per line; `#` starts a comment
  bool force = false;
  std::string broker;  ///< empty: through otariad when one answers
};

/// The brief's command: offers the image behind a URL to devices. Throws Failure before anything is
/// sent when a part of the notice cannot stand (usage).
int send_ota_update(Context& context, const SendOtaUpdateArguments& arguments);

}  // namespace otaria::cli
