#pragma once

#include <cstddef>

#include "contract/vocabulary.hpp"

namespace otaria::contract {

/// Bytes of a QoS 1 PUBLISH packet: fixed header, topic, packet id, payload, and the one byte of an
/// empty MQTT 5 property list (MQTT 3.1.1 has none; counting it keeps a message good for both).
/// Source  OASIS MQTT 3.1.1 sections 2.2 and 3.3, MQTT 5.0 section 3.3.
constexpr std::size_t publish_packet_bytes(std::size_t topic_bytes, std::size_t payload_bytes) {
  const std::size_t remaining = 2 + topic_bytes + 2 + 1 + payload_bytes;
  std::size_t length_bytes = 1;
  for (std::size_t rest = remaining; rest > 127; rest /= 128) ++length_bytes;
  return 1 + length_bytes + remaining;
}

/// Most payload bytes that fit a packet of max_packet_bytes under a topic of `topic_bytes`.
constexpr std::size_t max_payload_bytes(std::size_t topic_bytes) {
  std::size_t payload = max_packet_bytes;
  while (payload > 0 && publish_packet_bytes(topic_bytes, payload) > max_packet_bytes) --payload;
  return payload;
}

}  // namespace otaria::contract
