#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "contract/defect.hpp"
#include "contract/vocabulary.hpp"

/// Reading the members of a JSON object with a name for everything that can be wrong. Private to
/// contract/host.
namespace otaria::contract {

/// The first thing wrong with a message.
struct Problem {
  Defect defect = Defect::none;
  std::string member;

  void note(Defect found, std::string where) {
    if (defect != Defect::none) return;
    defect = found;
    member = std::move(where);
  }
};

/// The object that `payload` is, or null with `problem` filled. `known` names the members (nested:
/// `error.code`) that may not stand there twice.
nlohmann::json parse_message(std::string_view payload,
                             std::span<const std::string_view> known,
                             Problem& problem);

bool is_one_line(std::string_view text);    ///< no control characters
bool is_plain_text(std::string_view text);  ///< not empty, no control characters
bool is_lower_hex(std::string_view text);
bool is_fault_code(std::string_view text);  ///< `[a-z0-9_]{1,32}`

/// An object's members by name. Every function yields nothing for what is absent or wrong; what is
/// wrong, or absent and required, goes into the problem.
class Members {
 public:
  Members(const nlohmann::json& object, Problem& problem, std::string prefix = {})
      : object_{object}, problem_{problem}, prefix_{std::move(prefix)} {}

  using Predicate = bool (*)(std::string_view);
  static constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max();

  std::optional<std::string> text(const char* name,
                                  std::size_t longest,
                                  Predicate is_valid = is_plain_text) const;
  std::optional<std::uint32_t> number(const char* name, std::uint32_t maximum = largest) const;
  std::optional<bool> boolean(const char* name) const;
  std::optional<UpdateState> state(const char* name) const;
  /// The nested object `name`, or null.
  const nlohmann::json* object(const char* name) const;
  const nlohmann::json* find(const char* name) const;

  void note(Defect defect, const char* name) const { problem_.note(defect, prefix_ + name); }

  template <class T>
  T required(const char* name, std::optional<T> value) const {
    if (find(name) == nullptr) note(Defect::missing_member, name);
    return value.value_or(T{});
  }

 private:
  const nlohmann::json& object_;
  Problem& problem_;
  std::string prefix_;
};

}  // namespace otaria::contract
