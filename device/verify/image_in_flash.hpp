#pragma once

#include <cstdint>

#include "contract/digest.hpp"
#include "device/ports/flash.hpp"
#include "device/verify/image_checker.hpp"

namespace otaria::device {

/// What names an image in a slot without hashing it.
struct ImageIdentity {
  std::uint32_t bytes = 0;           ///< length up to and including the appended SHA-256
  contract::Digest appended_digest;  ///< the 32 bytes at its end: not the SHA-256 of the file
};

/// Walks the segment headers of the image at `base`, which must end below `base + limit`. A few
/// dozen bytes are read: cheap enough for every boot, where the bootloader has verified the rest.
/// Errors  not_an_image (magic, segment count or length, no appended hash), too_large,
/// flash_failed.
Result<ImageIdentity> image_length_in_flash(Flash& flash, std::uint32_t base, std::uint32_t limit);

/// Checks the whole image at `base` in pieces of 512 bytes; what lies behind the image is not read.
/// `checker` must be new or reset; afterwards it holds the verdict, the head and the digest. Errors
/// those of fault_of(ImageDefect); flash_failed.
Status check_image_in_flash(Flash& flash,
                            std::uint32_t base,
                            std::uint32_t limit,
                            ImageChecker& checker);

}  // namespace otaria::device
