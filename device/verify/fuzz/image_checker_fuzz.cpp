// libFuzzer: the image checker must give the same verdict for the same bytes however they are cut,
// and never crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "device/verify/image_checker.hpp"

using namespace otaria::device;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (!init_crypto()) std::abort();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  std::vector<std::uint8_t> image{data + 1, data + size};
  // Three magic values no fuzzer should have to guess; the rest is its own.
  if (piece % 2 == 0 && image.size() >= descriptor_offset + 4) {
    image[0] = image_magic;
    image[23] = 1;
    write_u32(&image[descriptor_offset], descriptor_magic);
  }
  ImageInspector whole;
  whole.update(image);
  ImageChecker cut;
  for (std::size_t at = 0; at < image.size(); at += piece) {
    cut.update(std::span{image}.subspan(at, std::min(piece, image.size() - at)));
  }
  const ImageVerdict one = whole.finish();
  const ImageVerdict other = cut.finish();
  if (one.defect != other.defect || one.offset != other.offset) std::abort();
  if (whole.has_head()) (void)whole.head();
  return 0;
}
