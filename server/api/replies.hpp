#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/http/message.hpp"
#include "server/registry/refusal.hpp"
#include "server/store/store.hpp"

/// What the handlers have in common.
namespace otaria::server {

Response json_reply(std::string body, int status = 200);

/// `limit` (1 to 500, default 100) and `cursor` of a list. Code bad_request.
Outcome<Slice> slice_from(const Request& request);

/// One more than is shown tells whether there is a next slice.
Slice one_more(Slice slice);

/// The reply for what a store gave for one_more(slice).
template <class Item>
Response list_reply(std::vector<Item> items,
                    const Slice& slice,
                    const std::function<std::string(const Item&)>& json,
                    const std::function<std::string(const Item&)>& cursor);

/// The query parameter, or nothing when it is absent or empty.
std::optional<std::string> parameter(const Request& request, std::string_view name);

std::string list_json(const std::vector<std::string>& items, const std::string& next);

template <class Item>
Response list_reply(std::vector<Item> items,
                    const Slice& slice,
                    const std::function<std::string(const Item&)>& json,
                    const std::function<std::string(const Item&)>& cursor) {
  std::string next;
  if (items.size() > slice.limit) {
    items.resize(slice.limit);
    next = cursor(items.back());
  }
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const Item& item : items) texts.push_back(json(item));
  return json_reply(list_json(texts, next));
}

}  // namespace otaria::server
