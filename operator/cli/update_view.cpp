#include "operator/cli/update_view.hpp"

#include <algorithm>

namespace otaria::cli {

UpdateView update_view(const Json& update) {
  UpdateView view;
  if (!update.is_object()) return view;
  view.id = text_member(update, "id");
  view.device = text_member(update, "device");
  view.target = text_member(update, "target");
  view.from = text_member(update, "from");
  view.state = text_member(update, "state");
  view.percent =
      static_cast<unsigned>(std::min<std::uint64_t>(number_member(update, "progress"), 100));
  view.bytes = number_member(update, "bytes");
  view.total = number_member(update, "total");
  view.created_at = static_cast<std::int64_t>(number_member(update, "created_at"));
  view.updated_at = static_cast<std::int64_t>(number_member(update, "updated_at"));
  view.delivered = flag_member(update, "delivered");
  view.is_final = flag_member(update, "final");
  const auto error = update.find("error");
  if (error != update.end() && error->is_object()) {
    view.error_code = text_member(*error, "code");
    view.error_detail = text_member(*error, "detail");
    view.error_hint = text_member(*error, "hint");
  }
  return view;
}

terminal::Colour colour_of(const std::string& state) {
  if (state == "succeeded") return terminal::Colour::green;
  if (state == "failed" || state == "rolled_back" || state == "refused")
    return terminal::Colour::red;
  if (state == "waiting" || state == "stale" || state == "offered") return terminal::Colour::yellow;
  return terminal::Colour::none;
}

std::string error_text(const UpdateView& update) {
  if (update.error_code.empty()) return {};
  std::string text = update.error_code;
  if (!update.error_detail.empty()) text += ": " + update.error_detail;
  // Devices send phrases without a full stop, others send sentences.
  if (!update.error_hint.empty()) text += (text.ends_with('.') ? " " : "; ") + update.error_hint;
  return text;
}

}  // namespace otaria::cli
