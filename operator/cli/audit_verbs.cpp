#include "operator/cli/audit_verbs.hpp"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <iterator>

#include "contract/audit/checkpoint.hpp"
#include "operator/cli/terminal/table.hpp"

namespace otaria::cli {
namespace {

constexpr const char* page_rows = "500";

/// The text that was hashed: members sorted, nothing between them.
std::string line_of(const Json& row) {
  return row.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Every row of the server's log, oldest first, page by page; false ends it early.
void each_row(Client& client, const std::function<bool(const Json&)>& take) {
  std::string cursor;
  while (true) {
    const Json page =
        client.get("/audit", {{"order", "oldest"}, {"limit", page_rows}, {"cursor", cursor}});
    const auto items = page.find("items");
    if (items == page.end() || !items->is_array()) {
      throw Failure(exit_unreachable,
                    "not_otariad",
                    fmt::format("{} answers /audit without a list.", client.server()));
    }
    for (const Json& row : *items) {
      if (!take(row)) return;
    }
    const std::string next = text_member(page, "next");
    if (next.empty() || next == cursor) return;
    cursor = next;
  }
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("{} cannot be read.", path),
                  "Check the path and who may read it.");
  }
  return text;
}

contract::AuditVerifier verifier_for(const VerifyArguments& arguments) {
  if (arguments.checkpoints.empty() && arguments.key.empty()) return {};
  if (arguments.checkpoints.empty() || arguments.key.empty()) {
    throw Failure(exit_usage,
                  "usage",
                  "--checkpoints and --key go together.",
                  "The key is the public half, audit.pub.pem: the copy that you took when the "
                  "server was set up, not one that lies beside the log.");
  }
  const auto key = crypto::public_key_from_pem(content_of(arguments.key));
  if (!key) {
    throw Failure(exit_usage,
                  "not_a_key",
                  fmt::format("{} holds no public P-256 key in PEM.", arguments.key),
                  "Name the server's audit.pub.pem.");
  }
  return {content_of(arguments.checkpoints), *key};
}

void append_export(const std::string& path, contract::AuditVerifier& verifier) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("{} cannot be read.", path),
                  "Make one with `otaria audit export --out FILE`.");
  }
  for (std::string line; std::getline(file, line);) {
    if (!verifier.append_line(line)) return;
  }
}

int tell(Context& context, const contract::AuditVerifier::Verdict& verdict, bool checked) {
  if (verdict.defect.empty()) {
    if (context.json()) {
      context.print({{"verified", true},
                     {"rows", verdict.rows},
                     {"checkpoints", checked ? Json(verdict.checkpoints) : Json(nullptr)}});
      return exit_ok;
    }
    context.say(fmt::format("{} rows hold together.", verdict.rows));
    context.say(checked ? fmt::format("{} signed checkpoints fit them.", verdict.checkpoints)
                        : "Without --checkpoints nobody can tell whether rows at the end are "
                          "missing, or all were written anew.");
    return exit_ok;
  }
  throw Failure(exit_refused,
                "audit_tampered",
                fmt::format("The log was changed: {}.{}",
                            verdict.defect,
                            verdict.first_bad > 0
                                ? fmt::format(" The first bad row is {}.", verdict.first_bad)
                                : std::string()),
                "Keep the database as it is, and compare it with the newest backup and export.");
}

}  // namespace

int list_audit(Context& context, const AuditFilter& filter) {
  const auto items = context.client().list(
      "/audit", {{"actor", filter.actor}, {"verb", filter.verb}}, filter.limit);
  if (context.json()) {
    context.print({{"items", items}});
    return exit_ok;
  }
  terminal::Table table({{"ROW", true},
                         {"WHEN"},
                         {"ACTOR"},
                         {"SOURCE"},
                         {"VERB"},
                         {"SUBJECT"},
                         {"OUTCOME"},
                         {"DETAIL"}});
  for (const auto& row : items) {
    const std::string outcome = text_member(row, "outcome");
    table.add({std::to_string(number_member(row, "seq")),
               terminal::human_time(static_cast<std::int64_t>(number_member(row, "at"))),
               text_member(row, "actor"),
               text_member(row, "source"),
               text_member(row, "verb"),
               text_member(row, "subject"),
               {outcome, outcome == "done" ? terminal::Colour::none : terminal::Colour::yellow},
               row.contains("detail") ? line_of(row["detail"]) : std::string()});
  }
  context.out() << table.text(context.out_traits());
  return exit_ok;
}

int export_audit(Context& context, const std::string& out) {
  std::ofstream file;
  if (!out.empty()) file.open(out, std::ios::binary | std::ios::trunc);
  std::ostream& to = out.empty() ? context.out() : file;
  std::uint64_t rows = 0;
  each_row(context.client(), [&](const Json& row) {
    to << line_of(row) << "\n";
    ++rows;
    return static_cast<bool>(to);
  });
  to.flush();
  if (!to) {
    throw Failure(exit_usage,
                  "not_written",
                  fmt::format("{} cannot be written.", out.empty() ? "standard output" : out),
                  "Check the path and the space.");
  }
  if (out.empty()) return exit_ok;
  if (context.json()) context.print({{"rows", rows}, {"file", out}});
  context.say(fmt::format("{} rows written to {}.", rows, out));
  return exit_ok;
}

int verify_audit(Context& context, const VerifyArguments& arguments) {
  contract::AuditVerifier verifier = verifier_for(arguments);
  if (!arguments.file.empty()) {
    append_export(arguments.file, verifier);
  } else {
    each_row(context.client(), [&](const Json& row) { return verifier.append_line(line_of(row)); });
  }
  return tell(context, verifier.verdict(), !arguments.checkpoints.empty());
}

}  // namespace otaria::cli
