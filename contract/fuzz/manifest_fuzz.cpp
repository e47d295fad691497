#include <cstddef>
#include <cstdint>

#include "contract/fuzz/claim.hpp"
#include "contract/fuzz/trust_fuzz.hpp"
#include "contract/semver.hpp"
#include "contract/trust/manifest.hpp"

using namespace otaria::contract;

namespace {

void check(ByteSource&& payload) {
  Manifest manifest;
  const ManifestReading reading = read_manifest(payload, manifest);
  if (!reading.ok()) return;
  claim(is_ulid(manifest.release.view()) && is_product_name(manifest.product.view()));
  claim(parse_semver(manifest.version.view()).has_value());
  claim(manifest.min_version.empty() || parse_semver(manifest.min_version.view()).has_value());
  claim(manifest.size > 0 && manifest.expires > manifest.issued);
  claim(manifest.hardware_count <= max_manifest_hardware && reading.format == manifest_format);
}

}  // namespace

// The bytes are a manifest file, and a decoded payload: what is judged good has enough distinct
// keys, a payload within its limits, and members that may be believed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string list = list_of_two_roots(1);
  MemoryFile list_file{list};
  MemoryFile file{std::span{data, size}};
  otaria::crypto::Sha256Hasher hasher;
  Believer verifier;
  KeyRing ring{list_file, hasher};
  claim(ring.open());
  PayloadPlace place;
  const SignatureVerdict verdict = judge_manifest_signatures(file, ring, hasher, verifier, place);
  if (verdict.ok()) {
    claim(verdict.valid >= verdict.needed && verdict.needed == 1);
    claim(size <= manifest_kind.file_bytes && place.offset + place.characters <= size);
    check(Base64UrlBytes{file, place.offset, place.characters});
  }
  check(MemoryBytes{std::span{data, size}});
  return 0;
}
