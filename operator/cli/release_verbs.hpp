#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct PublishArguments {
  std::string file;
  std::string version;  ///< empty: the image descriptor's
  std::string product;  ///< empty: the server's default
  std::vector<std::string> hardware;
  std::string channel;
  std::string notes;
  std::string key;  ///< reference of a signing key
};

struct ReleaseFilter {
  std::string product;
  std::string version;
  std::size_t limit = 100;
};

int publish_release(Context& context, const PublishArguments& arguments);
int list_releases(Context& context, const ReleaseFilter& filter);
/// `name`: an id, or a version that only one product has.
int show_release(Context& context, const std::string& name, const std::string& product);

}  // namespace otaria::cli
