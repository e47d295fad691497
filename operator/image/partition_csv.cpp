#include "operator/image/partition_csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "operator/image/partition_names.hpp"

namespace otaria::image {
namespace {

using device::Partition;
namespace type = device::partition_type;

/// Thrown inside this file only; parse_partition_csv() turns it into a value.
struct Refused {
  std::string code;
  std::string detail;
};

constexpr std::size_t field_count = 6;
using Fields = std::array<std::string, field_count>;

/// An entry whose place may still be open.
struct Line {
  std::size_t number = 0;
  Partition partition;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> size;  ///< negative: up to this address
};

std::string hex(std::int64_t value) {
  char buffer[24];
  (void)std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(value));
  return buffer;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return std::string{text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1)};
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Replaces `$NAME` and `${NAME}`.
std::string with_environment(std::string_view text, const CsvOptions& options) {
  std::string result;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    result += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    const bool braces = text.starts_with('{');
    if (braces) text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && is_name_character(text[length])) ++length;
    const std::string name{text.substr(0, length)};
    text.remove_prefix(length);
    if (name.empty() || (braces && !text.starts_with('}')))
      throw Refused{"bad_variable", "a $ without a name"};
    if (braces) text.remove_prefix(1);
    const auto value = options.environment ? options.environment(name) : std::nullopt;
    if (!value) throw Refused{"unknown_variable", "$" + name + " is not set"};
    result += *value;
  }
  return result;
}

/// Decimal, 0x, 0o, 0b, and K or M behind it, as Python's int(text, 0) in gen_esp32part.py.
std::optional<std::int64_t> integer(std::string text) {
  text = lower(std::move(text));
  std::int64_t factor = 1;
  if (text.ends_with('k') || text.ends_with('m')) {
    factor = text.ends_with('k') ? 1024 : 1024 * 1024;
    text.pop_back();
  }
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  int base = 10;
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  if (text.starts_with("0b")) base = 2;
  if (base != 10) text.erase(0, 2);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  constexpr std::uint64_t largest = 0xFFFFFFFF;
  if (error != std::errc{} || stop != end || value > largest) return std::nullopt;
  const std::int64_t scaled = static_cast<std::int64_t>(value) * factor;
  return negative ? -scaled : scaled;
}

std::uint8_t small_number(const std::string& text, const char* code, const std::string& what) {
  const auto value = integer(text);
  if (!value || *value < 0 || *value > 0xFE) {
    throw Refused{code, what + " \"" + text + "\" is neither a known name nor a number up to 0xFE"};
  }
  return static_cast<std::uint8_t>(*value);
}

std::uint8_t parse_type(const std::string& text) {
  if (text.empty()) throw Refused{"bad_type", "the type is missing"};
  if (const auto known = type_from(lower(text))) return *known;
  const std::uint8_t value = small_number(text, "bad_type", "type");
  if (value > type::partition_table && value < 0x40) {
    throw Refused{"bad_type", "types 0x04 to 0x3F are reserved, own ones begin at 0x40"};
  }
  return value;
}

std::uint8_t parse_subtype(std::uint8_t of_type, const std::string& text) {
  if (text.empty()) {
    if (of_type == type::app) throw Refused{"bad_subtype", "an app partition needs a subtype"};
    return *subtype_from(type::data, "undefined");
  }
  if (const auto known = subtype_from(of_type, lower(text))) return *known;
  return small_number(text, "bad_subtype", "subtype");
}

std::optional<std::int64_t> parse_place(const std::string& text,
                                        const char* code,
                                        const std::string& what) {
  if (text.empty() || lower(text) == "n/a") return std::nullopt;
  const auto value = integer(text);
  if (!value) throw Refused{code, what + " \"" + text + "\" is not a number"};
  return value;
}

std::uint32_t parse_flags(std::string_view text) {
  std::uint32_t flags = 0;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const std::string flag = lower(trimmed(text.substr(0, colon)));
    if (flag == "encrypted") {
      flags |= Partition::flag_encrypted;
    } else if (flag == "readonly") {
      flags |= Partition::flag_readonly;
    } else if (!flag.empty()) {
      throw Refused{"bad_flag", "unknown flag \"" + flag + "\": encrypted and readonly exist"};
    }
    text = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  }
  return flags;
}

Fields split(std::string_view text) {
  Fields fields;
  std::size_t count = 0;
  for (;;) {
    const auto comma = text.find(',');
    const std::string field = trimmed(text.substr(0, comma));
    if (count < field_count) fields[count] = field;
    if (count >= field_count && !field.empty())
      throw Refused{"too_many_fields", "a line has six fields"};
    ++count;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (count < 5) throw Refused{"too_few_fields", "Name, Type, SubType, Offset and Size are needed"};
  return fields;
}

/// Bootloader and partition table may leave their places to us.
void fill_in_known_places(Line& line, const CsvOptions& options) {
  const Partition& p = line.partition;
  if (p.type == type::bootloader) {
    if (p.subtype == 0 && !line.offset) line.offset = options.bootloader_offset;
    if (!line.size) line.size = std::int64_t{options.table_offset} - options.bootloader_offset;
  } else if (p.type == type::partition_table) {
    if (p.subtype == 0 && !line.offset) line.offset = options.table_offset;
    if (!line.size) line.size = 0x1000;
  }
}

Line parse_line(std::string_view text, std::size_t number, const CsvOptions& options) {
  const Fields fields = split(text);
  Line line;
  line.number = number;
  if (!line.partition.label.assign(fields[0])) {
    throw Refused{"label_too_long", "\"" + fields[0] + "\" has more than 16 characters"};
  }
  line.partition.type = parse_type(fields[1]);
  line.partition.subtype = parse_subtype(line.partition.type, fields[2]);
  line.offset = parse_place(fields[3], "bad_offset", "offset");
  if (line.offset && *line.offset < 0) throw Refused{"bad_offset", "an offset cannot be negative"};
  line.size = parse_place(fields[4], "bad_size", "size");
  line.partition.flags = parse_flags(fields[5]);
  fill_in_known_places(line, options);
  if (!line.size) throw Refused{"bad_size", "the size is missing"};
  return line;
}

bool has_fixed_place(const Partition& partition) {
  return (partition.type == type::bootloader || partition.type == type::partition_table) &&
         partition.subtype == 0;
}

/// Empty offsets and negative sizes, in the order of the lines.
void place(Line& line, std::int64_t& last_end) {
  Partition& p = line.partition;
  if (!line.offset) {
    const std::int64_t alignment = device::partition_alignment(p.type);
    line.offset = (last_end + alignment - 1) / alignment * alignment;
  } else if (*line.offset < last_end && !has_fixed_place(p)) {
    throw Refused{"overlap",
                  "offset " + hex(*line.offset) + " lies before " + hex(last_end) +
                      ", where what stands above it ends"};
  }
  const std::int64_t size = *line.size < 0 ? -*line.size - *line.offset : *line.size;
  constexpr std::int64_t largest = 0xFFFFFFFF;
  if (size < 0) throw Refused{"bad_size", "it would end before it begins"};
  if (*line.offset > largest || *line.offset + size > largest) {
    throw Refused{"out_of_flash", "it would end beyond 4 GiB"};
  }
  p.offset = static_cast<std::uint32_t>(*line.offset);
  p.bytes = static_cast<std::uint32_t>(size);
  if (!has_fixed_place(p)) last_end = *line.offset + size;
}

std::vector<Line> parse_lines(std::string_view text,
                              const CsvOptions& options,
                              std::size_t& number) {
  std::vector<Line> lines;
  std::int64_t last_end = std::int64_t{options.table_offset} + 0x1000;
  for (number = 1; !text.empty(); ++number) {
    const auto newline = text.find('\n');
    std::string_view raw = text.substr(0, newline);
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
    raw = raw.substr(0, raw.find('#'));
    if (trimmed(raw).empty()) continue;
    lines.push_back(parse_line(with_environment(raw, options), number, options));
    place(lines.back(), last_end);
  }
  return lines;
}

std::string size_text(std::uint32_t bytes) {
  if (bytes != 0 && bytes % 0x100000 == 0) return std::to_string(bytes / 0x100000) + "M";
  if (bytes != 0 && bytes % 0x400 == 0) return std::to_string(bytes / 0x400) + "K";
  return hex(bytes);
}

std::string rule_detail(const device::TableVerdict& verdict,
                        const std::vector<Partition>& entries) {
  if (verdict.index >= entries.size()) return "an empty table, or one with more entries than fit";
  std::string detail = "\"" + std::string{entries[verdict.index].label.view()} + "\": found " +
                       hex(verdict.found) + ", limit or other " + hex(verdict.expected);
  const bool names_other = verdict.defect == device::TableDefect::overlap ||
                           verdict.defect == device::TableDefect::duplicate_label ||
                           verdict.defect == device::TableDefect::duplicate_otadata;
  if (names_other) {
    detail = "\"" + std::string{entries[verdict.index].label.view()} + "\" and \"" +
             std::string{entries[verdict.expected].label.view()} + "\"";
  }
  return detail;
}

}  // namespace

std::variant<std::vector<Partition>, CsvError> parse_partition_csv(std::string_view text,
                                                                   const CsvOptions& options) {
  std::size_t number = 0;
  std::vector<Line> lines;
  try {
    lines = parse_lines(text, options, number);
  } catch (const Refused& refused) {
    return CsvError{number, refused.code, refused.detail};
  }
  std::vector<Partition> entries;
  entries.reserve(lines.size());
  for (const Line& line : lines) entries.push_back(line.partition);
  const device::TableVerdict verdict =
      device::check_table(entries, options.table_offset, options.flash_bytes);
  if (verdict) return entries;
  const std::size_t line = verdict.index < lines.size() ? lines[verdict.index].number : 0;
  return CsvError{line, std::string{name_of(verdict.defect)}, rule_detail(verdict, entries)};
}

std::string print_partition_csv(std::span<const Partition> entries) {
  std::string csv = "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n";
  for (const Partition& p : entries) {
    csv += std::string{p.label.view()} + ',' + type_text(p.type) + ',' +
           subtype_text(p.type, p.subtype) + ',' + hex(p.offset) + ',' + size_text(p.bytes) + ',';
    if ((p.flags & Partition::flag_encrypted) != 0) csv += "encrypted";
    if ((p.flags & Partition::flag_readonly) != 0)
      csv += csv.back() == ',' ? "readonly" : ":readonly";
    csv += '\n';
  }
  return csv;
}

}  // namespace otaria::image
