#pragma once

#include <string_view>

/// MQTT topics and topic filters as values: what may stand in a token, and what a rule permits.
/// Source  MQTT 3.1.1, section 4.7; reference broker authentication, sections 1, 2 and 6.
namespace otaria::token {

/// A filter that may stand in a token because it means the same to every broker: well-formed
/// (4.7.1: `#` last, wildcards alone in their level), not below `$`, and without what EMQX reads as
/// its own language (`${…}`, `eq `).
bool is_rule(std::string_view filter);

/// Whether everything that `requested`, a filter, selects is also selected by `rule`: so a
/// subscription to `requested` gives nothing that the rule does not. `+` does not cover `#`, and a
/// wildcard in the first level covers nothing that begins with `$`. False when either is malformed.
bool covers(std::string_view rule, std::string_view requested);

/// Whether `rule` selects `topic`; false for a topic with wildcards.
bool matches(std::string_view rule, std::string_view topic);

/// `<filter>` of a shared subscription `$share/<group>/<filter>`; every other text as it is, a
/// `$share/` without group or filter too (which no rule covers).
std::string_view without_share(std::string_view filter);

}  // namespace otaria::token
