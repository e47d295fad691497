#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "operator/cli/release_signing.hpp"

namespace otaria::cli {

/// Without keys the release has no manifest: for devices in development mode. Its defaults are then
/// the server's.
struct PublishArguments {
  std::string file;
  ManifestArguments what;
  SigningArguments how;
  std::string notes;
};

struct ReleaseFilter {
  std::string product;
  std::string version;
  std::size_t limit = 100;
};

int publish_release(Context& context, const PublishArguments& arguments);
/// Sends an image and says what became of it. `headers`: further lines of the request.
int upload_image(Context& context,
                 const Query& query,
                 const std::string& path,
                 std::vector<std::string> headers);
int list_releases(Context& context, const ReleaseFilter& filter);
/// `name`: an id, or a version that only one product has.
int show_release(Context& context, const std::string& name, const std::string& product);

}  // namespace otaria::cli
