#include "server/download/url_signer.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t day = 86'400;
const std::string path = "/firmware/" + std::string(64, 'a') + ".bin";

UrlSecret secret(std::uint8_t byte) {
  UrlSecret secret;
  secret.fill(byte);
  return secret;
}

UrlSigner signer() {
  return UrlSigner{{.current = secret(1), .previous = std::nullopt}, day};
}

/// The parameters e and s of a URL.
std::pair<std::string, std::string> parameters(const std::string& url) {
  const std::size_t e = url.find("?e=");
  const std::size_t s = url.find("&s=");
  return {url.substr(e + 3, s - e - 3), url.substr(s + 3)};
}

UrlVerdict verdict(const std::string& url, std::int64_t at = now) {
  const auto [end, signature] = parameters(url);
  return signer().judge(url.substr(0, url.find('?')), end, signature, at);
}

TEST(UrlSigner, AUrlIsGoodUntilItsEnd) {
  const std::string url = signer().sign(path, now + 10);
  EXPECT_EQ(verdict(url), UrlVerdict::good);
  EXPECT_EQ(verdict(url, now + 9), UrlVerdict::good);
  EXPECT_EQ(verdict(url, now + 10), UrlVerdict::expired);
}

// HMAC-SHA-256 by another implementation:
//   printf '/firmware/x.bin?e=1800000000' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<01 x 32>
TEST(UrlSigner, SignsWithTheFirstSixteenBytesOfHmacSha256) {
  EXPECT_EQ(signer().sign("/firmware/x.bin", now),
            "/firmware/x.bin?e=1800000000&s=HVNRkNRKU4AR8k00QS6GSQ");
}

TEST(UrlSigner, PathAndEndAreBothSigned) {
  const std::string url = signer().sign(path, now + 10);
  std::string other = url;
  other[20] = 'b';
  EXPECT_EQ(verdict(other), UrlVerdict::bad);
  const auto [end, signature] = parameters(url);
  EXPECT_EQ(signer().judge(path, "1800000011", signature, now), UrlVerdict::bad);
  EXPECT_EQ(signer().judge(path, "4102444800", signature, now), UrlVerdict::bad);
}

TEST(UrlSigner, WhatHasNotOurShapeIsUnsigned) {
  const auto [end, signature] = parameters(signer().sign(path, now + 10));
  for (const std::string& text : {std::string{},
                                  signature + "A",
                                  signature.substr(1),
                                  "=" + signature.substr(1),
                                  "+" + signature.substr(1)}) {
    EXPECT_EQ(signer().judge(path, end, text, now), UrlVerdict::unsigned_url) << text;
  }
  for (const std::string& text : {std::string{},
                                  "0" + end,
                                  "-" + end,
                                  " " + end,
                                  end + " ",
                                  std::string{"18000000100"},
                                  std::string{"0x6b49d20a"}}) {
    EXPECT_EQ(signer().judge(path, text, signature, now), UrlVerdict::unsigned_url) << text;
  }
}

// 22 characters hold 132 bits: of the last one only the upper two count, and others are refused.
TEST(UrlSigner, ASignatureHasOneText) {
  const auto [end, signature] = parameters(signer().sign(path, now + 10));
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  int good = 0;
  for (const char last : alphabet) {
    std::string text = signature;
    text.back() = last;
    if (signer().judge(path, end, text, now) == UrlVerdict::good) ++good;
  }
  EXPECT_EQ(good, 1);
}

TEST(UrlSigner, AfterARotationUrlsOfTheOldSecretAreStillGood) {
  const std::string url = signer().sign(path, now + 10);
  const auto [end, signature] = parameters(url);
  const UrlSigner next{{.current = secret(2), .previous = secret(1)}, day};
  EXPECT_EQ(next.judge(path, end, signature, now), UrlVerdict::good);
  const UrlSigner over{{.current = secret(3), .previous = secret(2)}, day};
  EXPECT_EQ(over.judge(path, end, signature, now), UrlVerdict::bad);
}

TEST(UrlSigner, UrlsLastBetweenHalfALifeAndALife) {
  for (std::int64_t at = now; at < now + 2 * day; at += 977) {
    const std::int64_t left = signer().end_of_url_made_at(at) - at;
    EXPECT_GT(left, day / 2) << at;
    EXPECT_LE(left, day) << at;
  }
  EXPECT_LT(signer().renewal_s(), day / 2) << "a fresh URL is not to be renewed at once";
}

}  // namespace
}  // namespace otaria::server
