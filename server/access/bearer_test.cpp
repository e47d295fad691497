#include "server/access/bearer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace otaria::server {
namespace {

TEST(Bearer, TakesTheTokenOfTheSchemeInAnyCase) {
  EXPECT_EQ(bearer_token("Bearer ota_abc"), "ota_abc");
  EXPECT_EQ(bearer_token("bearer   a.b-c~d"), "a.b-c~d");
  EXPECT_EQ(bearer_token("BEARER x"), "x");
}

TEST(Bearer, RefusesOtherSchemesAndWhatNoTokenHolds) {
  for (const char* value : {"",
                            "Bearer",
                            "Bearer ",
                            "Bearer  ",
                            "Basic dXNlcjpwYXNz",
                            "Bearerx",
                            "Bearer a b",
                            "Bearer a,b",
                            "Bearer \"a\"",
                            "Bearer a\tb",
                            "Bearer \xc3\xa9",
                            "ota_abc"}) {
    EXPECT_FALSE(bearer_token(value)) << value;
  }
  EXPECT_FALSE(bearer_token(std::string_view{"Bearer a\0b", 10}));
}

}  // namespace
}  // namespace otaria::server
