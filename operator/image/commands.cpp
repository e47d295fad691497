#include "operator/image/commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "operator/image/image_file.hpp"
#include "operator/image/image_report.hpp"

namespace otaria::image {
namespace {

int refuse(const Problem& problem,
           bool json,
           std::ostream& out,
           std::ostream& err,
           int code = exit_refused) {
  if (json) {
    print_problem_json(problem, out);
  } else {
    print_problem(problem, err);
  }
  return code;
}

Problem unreadable(const std::string& path, const std::string& reason) {
  return {"unreadable", printable(path) + ": " + reason, "check the path and its permissions"};
}

void note_unsound(const ImageReport& report, std::ostream& err) {
  err << "note: not a sound ESP application image: " << problem_of(report).detail << '\n';
}

}  // namespace

int inspect(const std::string& path, bool json, std::ostream& out, std::ostream& err) {
  const auto inspected = inspect_file(path);
  if (const auto* failed = std::get_if<Unreadable>(&inspected)) {
    return refuse(unreadable(path, failed->reason), json, out, err);
  }
  const auto& report = std::get<ImageReport>(inspected);
  if (!json) print_report(report, out);
  if (!report.verdict) return refuse(problem_of(report), json, out, err);
  if (json) print_report_json(report, out);
  return exit_accepted;
}

int hash(const std::vector<std::string>& paths, bool json, std::ostream& out, std::ostream& err) {
  auto files = nlohmann::json::array();
  for (const std::string& path : paths) {
    const auto inspected = inspect_file(path);
    if (const auto* failed = std::get_if<Unreadable>(&inspected)) {
      const Problem problem = unreadable(path, failed->reason);
      if (json) return refuse(problem, json, out, err);
      print_problem(problem, err);
      continue;
    }
    const auto& report = std::get<ImageReport>(inspected);
    const std::string digest = hex_text(report.file_sha256);
    const bool sound = static_cast<bool>(report.verdict);
    if (!sound) note_unsound(report, err);
    files.push_back(
        {{"file", path}, {"sha256", digest}, {"bytes", report.file_bytes}, {"valid_image", sound}});
    if (json) continue;
    out << digest << (paths.size() == 1 ? "" : "  " + path) << '\n';
  }
  if (json) {
    const nlohmann::json whole = paths.size() == 1 ? files[0] : nlohmann::json{{"files", files}};
    out << whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  return files.size() == paths.size() ? exit_accepted : exit_refused;
}

int make(const MakeOptions& options,
         const std::string& path,
         bool json,
         std::ostream& out,
         std::ostream& err) {
  std::vector<std::uint8_t> image;
  try {
    image = make_image(options);
  } catch (const std::invalid_argument& wrong) {
    return refuse({"bad_option", wrong.what(), "see --help"}, json, out, err, exit_usage);
  }
  if (const std::string reason = write_file(path, image); !reason.empty()) {
    return refuse(
        {"not_written", printable(path) + ": " + reason, "check the path and its permissions"},
        json,
        out,
        err);
  }
  const std::string digest = hex_text(device::sha256_of(image));
  if (json) {
    const nlohmann::json made{
        {"file", path}, {"bytes", image.size()}, {"sha256", digest}, {"version", options.version}};
    out << made.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else {
    out << "made " << printable(path) << ": " << printable(options.project) << ' '
        << printable(options.version) << ", " << image.size() << " bytes, SHA-256 " << digest
        << '\n';
  }
  return exit_accepted;
}

}  // namespace otaria::image
