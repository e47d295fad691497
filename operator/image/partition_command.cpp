#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "device/slot/partition_table.hpp"
#include "operator/image/commands.hpp"
#include "operator/image/image_file.hpp"
#include "operator/image/image_report.hpp"
#include "operator/image/partition_csv.hpp"
#include "operator/image/partition_names.hpp"

namespace otaria::image {
namespace {

using device::Partition;
using Entries = std::vector<Partition>;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t largest_input = std::uint64_t{1024} * 1024;

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Problem table_problem(const std::string& path, const device::TableVerdict& verdict) {
  const std::string code{name_of(verdict.defect)};
  return {code,
          printable(path) + ": " + code + " at entry " + std::to_string(verdict.index) +
              ", found " + std::to_string(verdict.found) + ", expected " +
              std::to_string(verdict.expected),
          "write the table again with this command or with gen_esp32part.py"};
}

std::variant<Entries, Problem> read_binary(const PartitionsRequest& request, const Bytes& bytes) {
  device::PartitionTable table;
  const auto read = device::read_partition_table(bytes, request.flash_bytes, table);
  if (!read) return table_problem(request.input, read);
  const auto checked =
      device::check_table(table.entries(), request.table_offset, request.flash_bytes);
  if (!checked) return table_problem(request.input, checked);
  return Entries{table.entries().begin(), table.entries().end()};
}

std::variant<Entries, Problem> read_csv(const PartitionsRequest& request, const Bytes& bytes) {
  CsvOptions options;
  options.table_offset = request.table_offset;
  options.flash_bytes = request.flash_bytes;
  options.environment = from_environment;
  const std::string text{bytes.begin(), bytes.end()};
  auto parsed = parse_partition_csv(text, options);
  if (auto* entries = std::get_if<Entries>(&parsed)) return *entries;
  const auto& error = std::get<CsvError>(parsed);
  return Problem{
      error.code,
      printable(request.input) + ": line " + std::to_string(error.line) + ": " +
          printable(error.detail),
      "Name, Type, SubType, Offset, Size, Flags: see ESP-IDF's page on partition tables"};
}

std::variant<Entries, Problem> read_entries(const PartitionsRequest& request) {
  const auto read = read_file(request.input, largest_input);
  if (const auto* failed = std::get_if<Unreadable>(&read)) {
    return Problem{
        "unreadable", printable(request.input) + ": " + failed->reason, "check the path"};
  }
  const auto& bytes = std::get<Bytes>(read);
  const bool binary = bytes.size() >= 2 && bytes[0] == 0xAA && bytes[1] == 0x50;
  return binary ? read_binary(request, bytes) : read_csv(request, bytes);
}

std::string flags_text(std::uint32_t flags) {
  std::string text;
  if ((flags & Partition::flag_encrypted) != 0) text = "encrypted";
  if ((flags & Partition::flag_readonly) != 0) text += text.empty() ? "readonly" : ":readonly";
  return text;
}

void print_table(const Entries& entries, std::ostream& out) {
  out << "name              type             subtype    offset      size (KiB)  flags\n";
  for (const Partition& p : entries) {
    char line[160];
    (void)std::snprintf(line,
                        sizeof line,
                        "%-16s  %-15s  %-9s  0x%08X  %10u  %s",
                        printable(p.label.view()).c_str(),
                        type_text(p.type).c_str(),
                        subtype_text(p.type, p.subtype).c_str(),
                        p.offset,
                        p.bytes / 1024,
                        flags_text(p.flags).c_str());
    std::string trimmed = line;
    trimmed.erase(trimmed.find_last_not_of(' ') + 1);
    out << trimmed << '\n';
  }
}

void print_json(const Entries& entries, std::ostream& out) {
  auto list = nlohmann::json::array();
  for (const Partition& p : entries) {
    list.push_back({{"name", p.label.view()},
                    {"type", type_text(p.type)},
                    {"subtype", subtype_text(p.type, p.subtype)},
                    {"offset", p.offset},
                    {"bytes", p.bytes},
                    {"encrypted", (p.flags & Partition::flag_encrypted) != 0},
                    {"readonly", (p.flags & Partition::flag_readonly) != 0}});
  }
  out << nlohmann::json{{"partitions", list}}.dump(
             -1, ' ', false, nlohmann::json::error_handler_t::replace)
      << '\n';
}

Bytes converted(const Entries& entries, const std::string& output) {
  if (output.ends_with(".csv")) {
    const std::string csv = print_partition_csv(entries);
    return {csv.begin(), csv.end()};
  }
  Bytes bytes(device::table_bytes);
  // Cannot fail: check_table() has counted the entries.
  (void)device::write_partition_table(entries, std::span<std::uint8_t, device::table_bytes>{bytes});
  return bytes;
}

}  // namespace

int partitions(const PartitionsRequest& request, bool json, std::ostream& out, std::ostream& err) {
  auto read = read_entries(request);
  auto* problem = std::get_if<Problem>(&read);
  std::string reason;
  if (problem == nullptr && !request.output.empty()) {
    reason = write_file(request.output, converted(std::get<Entries>(read), request.output));
  }
  if (!reason.empty()) {
    read = Problem{"not_written",
                   printable(request.output) + ": " + reason,
                   "check the path and its permissions"};
    problem = std::get_if<Problem>(&read);
  }
  if (problem != nullptr) {
    if (json) {
      print_problem_json(*problem, out);
    } else {
      print_problem(*problem, err);
    }
    return exit_refused;
  }
  const auto& entries = std::get<Entries>(read);
  if (json) {
    print_json(entries, out);
  } else if (request.output.empty()) {
    print_table(entries, out);
  } else {
    out << "wrote " << printable(request.output) << ": " << entries.size() << " partitions\n";
  }
  return exit_accepted;
}

}  // namespace otaria::image
