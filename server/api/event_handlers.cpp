#include "server/api/event_hub.hpp"
#include "server/api/handlers.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {

Response follow_events(const Request& request, const PathParameters&, Services& services) {
  const auto subscription = services.events.subscribe(parameter(request, "update").value_or(""),
                                                      parameter(request, "device").value_or(""));
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
  response.events = [subscription] { return subscription->next(); };
  return response;
}

}  // namespace otaria::server
