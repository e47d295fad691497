#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "contract/trust/primitives.hpp"
#include "device/ports/device_key.hpp"

namespace otaria::device {

/// Signs `payload` with the device's key as one line: `type` in the header, the key's id as `kid`.
/// Returns the number of characters written to `out`, or 0: no key, or `out` is too small (a line
/// takes about 4/3 of the payload and 230 characters).
/// Memory  about 500 bytes of stack beside the signing.
/// Source  RFC 7515, section 3.1; reference trust, sections 12.2 and 12.3.
std::size_t write_proof(std::string_view type,
                        std::string_view payload,
                        DeviceKey& key,
                        contract::Hasher& hasher,
                        std::span<char> out);

/// The id of the device's key: first 16 hex digits of the SHA-256 over its SubjectPublicKeyInfo.
/// False: no key.
bool device_key_id(DeviceKey& key, contract::Hasher& hasher, std::span<char, 16> into);

}  // namespace otaria::device
