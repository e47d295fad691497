#include "operator/cli/release_verbs.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "contract/ulid.hpp"
#include "contract/vocabulary.hpp"
#include "operator/cli/terminal/live_area.hpp"
#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string joined(const Json& list) {
  std::string text;
  if (!list.is_array()) return text;
  for (const auto& item : list) {
    if (item.is_string()) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  }
  return text;
}

std::string hardware_of(const Json& release) {
  const auto found = release.find("hardware");
  const std::string names = found == release.end() ? std::string() : joined(*found);
  return names.empty() ? "any" : names;
}

void check_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("{}: there is no such file.", path),
                  "Name the .bin file that the build made.");
  }
  if (std::filesystem::file_size(path, error) == 0) {
    throw Failure(
        exit_usage, "empty_file", fmt::format("{} is empty.", path), "Build the firmware again.");
  }
}

/// The bar of an upload, drawn on standard error so that standard output holds the result alone.
class UploadBar {
 public:
  explicit UploadBar(Context& context) : context_(context), area_(context.err()) {}
  void operator()(std::uint64_t done, std::uint64_t total) {
    const auto& traits = context_.err_traits();
    const bool whole = done == total;
    if (!traits.interactive || context_.json() || context_.quiet()) return;
    if (!whole && Clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = Clock::now();
    const auto percent = static_cast<unsigned>(done * 100 / total);
    std::string line = fmt::format("uploading {:>3} %", percent);
    if (traits.width > 40) {
      line = fmt::format(
          "uploading {} {:>3} %  {} of {}",
          terminal::progress_bar(percent, std::min<std::size_t>(traits.width - 36, 40), traits),
          percent,
          terminal::human_bytes(done),
          terminal::human_bytes(total));
    }
    area_.draw({terminal::fitted(line, traits.width, traits)}, traits);
  }
  void clear() { area_.clear(); }

 private:
  Context& context_;
  terminal::LiveArea area_;
  Clock::time_point drawn_{};
};

void print_release(Context& context, const Json& release) {
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) context.say(fmt::format("{:<12} {}", name, terminal::printable(value)));
  };
  row("release", text_member(release, "id"));
  row("product", text_member(release, "product"));
  row("version", text_member(release, "version"));
  row("channel", text_member(release, "channel"));
  row("hardware", hardware_of(release));
  row("chip", text_member(release, "chip"));
  const auto size = number_member(release, "size");
  row("size", fmt::format("{} bytes ({})", terminal::grouped(size), terminal::human_bytes(size)));
  row("sha256", text_member(release, "sha256"));
  row("project", text_member(release, "project"));
  row("descriptor", text_member(release, "descriptor_version"));
  row("ESP-IDF", text_member(release, "idf_version"));
  row("url", text_member(release, "url"));
  row("manifest", text_member(release, "manifest"));
  if (!text_member(release, "manifest").empty())
    row("counter", std::to_string(number_member(release, "security_counter")));
  row("published",
      terminal::human_time(static_cast<std::int64_t>(number_member(release, "created_at"))));
  row("notes", text_member(release, "notes"));
}

Failure unknown_release(const std::string& name) {
  return {exit_refused,
          "unknown_release",
          fmt::format("There is no release `{}`.", name),
          "`otaria release list` shows those there are."};
}

}  // namespace

int publish_release(Context& context, const PublishArguments& arguments) {
  check_file(arguments.file);
  const ManifestArguments& what = arguments.what;
  if (!arguments.how.keys.empty()) {
    const image::ImageReport image = sound_image(arguments.file, what.channel);
    const std::string manifest = sign_release(context, image, what, arguments.how);
    return upload_release(context, arguments.file, manifest, arguments.notes);
  }
  if (what.security_fix || what.security_counter || what.keys_serial || !what.min_version.empty()) {
    throw Failure(exit_usage,
                  "key_required",
                  "What was asked for stands in a signed manifest, and no key is named.",
                  "Name a release key with --key REF.");
  }
  Query query{{"product", what.product},
              {"version", what.version},
              {"channel", what.channel},
              {"notes", arguments.notes}};
  for (const auto& name : what.hardware) query.emplace_back("hardware", name);
  return upload_image(context, query, arguments.file, {});
}

int upload_image(Context& context,
                 const Query& query,
                 const std::string& path,
                 std::vector<std::string> headers) {
  UploadBar bar(context);
  std::optional<Client::Uploaded> uploaded;
  try {
    uploaded = context.client().upload(
        "/releases",
        query,
        path,
        [&](std::uint64_t done, std::uint64_t total) { bar(done, total); },
        std::move(headers));
  } catch (const Failure&) {
    bar.clear();
    throw;
  }
  bar.clear();
  if (context.json()) {
    context.print(uploaded->body);
    return exit_ok;
  }
  context.say(uploaded->created ? "Published."
                                : "This release was there already; nothing has changed.");
  print_release(context, uploaded->body);
  if (!context.quiet()) {
    context.say(fmt::format("Send it: otaria update send DEVICE --release {}",
                            text_member(uploaded->body, "id")));
  }
  return exit_ok;
}

int list_releases(Context& context, const ReleaseFilter& filter) {
  const auto items = context.client().list(
      "/releases", {{"product", filter.product}, {"version", filter.version}}, filter.limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  if (items.empty()) {
    context.say("No releases. Publish one: otaria release publish FILE --version V");
    return exit_ok;
  }
  terminal::Table table({{"RELEASE"},
                         {"PRODUCT"},
                         {"VERSION"},
                         {"CHANNEL"},
                         {"CHIP"},
                         {"SIZE", true},
                         {"PUBLISHED"},
                         {"HARDWARE"}});
  for (const Json& release : items) {
    table.add(
        {text_member(release, "id"),
         text_member(release, "product"),
         text_member(release, "version"),
         text_member(release, "channel"),
         text_member(release, "chip"),
         terminal::grouped(number_member(release, "size")),
         terminal::human_time(static_cast<std::int64_t>(number_member(release, "created_at"))),
         hardware_of(release)});
  }
  context.out() << table.text(context.out_traits()) << std::flush;
  return exit_ok;
}

int show_release(Context& context, const std::string& name, const std::string& product) {
  Json release;
  if (contract::is_ulid(name)) {
    release = context.client().get("/releases/" + url_encoded(name));
  } else {
    const auto found =
        context.client().list("/releases", {{"version", name}, {"product", product}}, 10);
    if (found.empty()) throw unknown_release(name);
    if (found.size() > 1) {
      std::string ids;
      for (const Json& item : found) ids += " " + text_member(item, "id");
      throw Failure(exit_refused,
                    "ambiguous_release",
                    fmt::format("{} releases have version {}:{}.", found.size(), name, ids),
                    "Name one by its id, or its product with --product P.");
    }
    release = found.front();
  }
  if (context.json()) {
    context.print(release);
  } else {
    print_release(context, release);
  }
  return exit_ok;
}

}  // namespace otaria::cli
