#include <toml++/toml.h>

#include "server/app/config.hpp"

namespace otaria::server {
namespace {

std::string text_of(const toml::node& node, const std::string& key, const std::string& file) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  throw ConfigError{file + ": " + key + " is neither a text nor a whole number, true or false"};
}

void take_table(Config& config,
                const toml::table& table,
                const std::string& prefix,
                const std::string& file) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string{name.str()};
    if (const toml::table* inner = node.as_table()) {
      if (!prefix.empty()) throw ConfigError{file + ": unknown table [" + key + "]"};
      take_table(config, *inner, key + ".", file);
    } else {
      set_key(config,
              key,
              text_of(node, key, file),
              file + ":" + std::to_string(node.source().begin.line));
    }
  }
}

[[noreturn]] void refuse(const std::string& file, const toml::parse_error& error) {
  throw ConfigError{file + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string{error.description()}};
}

}  // namespace

void take_toml(Config& config, std::string_view text, const std::string& file) {
  try {
    take_table(config, toml::parse(text, file), "", file);
  } catch (const toml::parse_error& error) {
    refuse(file, error);
  }
}

Config load_config(const ConfigSources& sources) {
  Config config = default_config();
  if (sources.file) {
    try {
      take_table(config, toml::parse_file(*sources.file), "", *sources.file);
    } catch (const toml::parse_error& error) {
      refuse(*sources.file, error);
    }
  }
  for (const auto& [key, value] : sources.environment) {
    for (const NamedKey& row : named_keys()) {
      if (row.key == key)
        set_key(config, key, value, "environment variable " + std::string{row.variable});
    }
  }
  for (const auto& [key, value] : sources.flags) {
    for (const NamedKey& row : named_keys()) {
      if (row.key == key) set_key(config, key, value, std::string{row.flag});
    }
  }
  return config;
}

}  // namespace otaria::server
