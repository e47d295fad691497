#include "contract/device/json_writer.hpp"

#include <charconv>

#include "contract/digest.hpp"
#include "contract/json_text.hpp"
#include "contract/slice.hpp"

namespace otaria::contract {

void JsonWriter::put(std::string_view text) {
  if (overflow_ || text.size() > out_.size() - written_) {
    overflow_ = true;
    return;
  }
  for (char c : text) out_[written_++] = c;
}

void JsonWriter::begin_object() {
  put("{");
  first_ = true;
}

void JsonWriter::end_object() {
  put("}");
  first_ = false;
}

void JsonWriter::name(std::string_view name) {
  if (!first_) put(",");
  first_ = false;
  string(name);
  put(":");
}

void JsonWriter::put_control(unsigned char c) {
  char escape[] = {'\\', 'u', '0', '0', '0', '0'};
  write_hex(std::span<const std::uint8_t>{&c, 1}, escape + 4);
  put({escape, sizeof escape});
}

void JsonWriter::string(std::string_view text) {
  put("\"");
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_sequence_bytes(text);
    if (length == 0) {
      put("?");
    } else if (c == '"') {
      put("\\\"");
    } else if (c == '\\') {
      put("\\\\");
    } else if (static_cast<unsigned char>(c) < 0x20) {
      put_control(static_cast<unsigned char>(c));
    } else {
      put(slice(text, 0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  put("\"");
}

void JsonWriter::number(std::uint32_t value) {
  char digits[10];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  put({digits, static_cast<std::size_t>(end - digits)});
}

void JsonWriter::boolean(bool value) {
  put(value ? "true" : "false");
}

void JsonWriter::empty_array() {
  put("[]");
}

}  // namespace otaria::contract
