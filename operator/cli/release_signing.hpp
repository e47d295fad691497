#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/trust/manifest.hpp"
#include "operator/cli/trust_files.hpp"
#include "operator/image/image_file.hpp"

/// Signed releases: what the manifest says is read from the image and asked of the server, signed
/// here, and uploaded. No private key ever goes to the server.
namespace otaria::cli {

inline constexpr unsigned default_manifest_days = 365;

/// What a manifest says beside what its image does.
struct ManifestArguments {
  std::string version;  ///< empty: the image descriptor's
  std::string product;  ///< empty: sensor
  std::vector<std::string> hardware;
  std::string channel;  ///< empty: every channel
  std::string min_version;
  unsigned days = default_manifest_days;
  std::optional<std::uint32_t> security_counter;  ///< none: see sign_release()
  bool security_fix = false;
  std::optional<std::uint32_t> keys_serial;  ///< none: the key list's
};

struct SigningArguments {
  std::vector<std::string> keys;  ///< references; each signs
  std::string key_list;           ///< file; empty: the server's
  KeyOptions options;
};

/// An image that may be signed. Throws Failure: the image's own defect, `development_image` unless
/// `channel` is dev.
image::ImageReport sound_image(const std::string& path, const std::string& channel);

/// A signed manifest file for the image.
/// Asks  the key list for its serial (unless `keys_serial` says it) and whether the keys suffice;
///       the server for the product's highest security counter, unless `security_counter` says it.
/// Throws Failure, KeyError: with the device's own codes when the signatures would not do.
std::string sign_release(Context& context,
                         const image::ImageReport& image,
                         const ManifestArguments& what,
                         const SigningArguments& how);

/// Uploads image and manifest; refuses first what contradicts (`manifest_mismatch`).
int upload_release(Context& context,
                   const std::string& path,
                   const std::string& manifest,
                   const std::string& notes);

struct SignReleaseArguments {
  std::string file;  ///< the image; with `add` it may be left out
  ManifestArguments what;
  SigningArguments how;
  std::string out;
  std::string add;  ///< a manifest file that gets a further signature
};
int sign_release_verb(Context& context, const SignReleaseArguments& arguments);
/// `otaria release upload`.
int upload_release_verb(Context& context,
                        const std::string& path,
                        const std::string& manifest_file,
                        const std::string& notes);

}  // namespace otaria::cli
