#pragma once

#include <string>

#include "operator/cli/context.hpp"

/// `otaria approval list|show|approve|reject`: the two-person rule.
namespace otaria::cli {

/// `state` empty: what is pending.
int list_approvals(Context& context, const std::string& state, std::size_t limit);
int show_approval(Context& context, const std::string& id);
/// `digest` empty: approves what the server shows, after it was printed; else that digest or
/// nothing.
int approve(Context& context, const std::string& id, const std::string& digest);
int reject(Context& context, const std::string& id, const std::string& reason);

/// The answer to a request that another person must approve; nothing is done yet.
bool awaits_approval(const Json& answer);
/// Says so, and how it goes on. With `wait` there is nothing to wait for: throws Failure
/// (awaiting_approval, exit 3).
int say_awaiting(Context& context, const Json& answer, bool wait = false);

}  // namespace otaria::cli
