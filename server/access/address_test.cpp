#include "server/access/address.hpp"

#include <gtest/gtest.h>

namespace otaria::server {
namespace {

std::vector<IpNetwork> networks(const char* text) {
  return networks_from(text).value();
}

TEST(Network, ContainsWhatItsBitsSay) {
  const auto contains = [](const char* network, const char* address) {
    return network_from(network).value().contains(address_from(address).value());
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.9"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.1"));
  EXPECT_TRUE(contains("127.0.0.1", "::ffff:127.0.0.1"));  // a socket for both families says so
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
}

TEST(Network, OfAnotherFormIsNone) {
  for (const char* text : {"",
                           "10.0.0.0/33",
                           "10.0.0.0/",
                           "10.0.0.0/8x",
                           "10.0.0/8",
                           "::/129",
                           "10.0.0.1/-1",
                           "host.example",
                           "10.0.0.1,"}) {
    EXPECT_FALSE(network_from(text)) << text;
  }
  EXPECT_FALSE(networks_from("10.0.0.1, nonsense"));
  EXPECT_EQ(networks_from("10.0.0.1, ::1/128 ,192.168.0.0/16")->size(), 3u);
  EXPECT_TRUE(networks_from("")->empty());
}

TEST(Address, WithBytesBehindANulIsNone) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(address_from("10.0.0.1\0.evil"sv));
  EXPECT_FALSE(address_from("::1\0"sv));
  EXPECT_FALSE(network_from("10.0.0.1\0x/8"sv));
  EXPECT_EQ(source_of("10.0.0.1\0:80"sv, "", {}), "unknown");
}

TEST(Source, IsThePeerUnlessATrustedProxySpeaks) {
  EXPECT_EQ(source_of("192.0.2.7:4711", "", {}), "192.0.2.7");
  EXPECT_EQ(source_of("[2001:db8::1]:4711", "", {}), "2001:db8::1");
  EXPECT_EQ(source_of("[fe80::1%eth0]:4711", "", {}), "fe80::1");
  EXPECT_EQ(source_of("192.0.2.7:4711", "198.51.100.1", {}), "192.0.2.7");
  EXPECT_EQ(source_of("192.0.2.7:4711", "198.51.100.1", networks("10.0.0.0/8")), "192.0.2.7");
  EXPECT_EQ(source_of("nonsense", "198.51.100.1", networks("0.0.0.0/0")), "unknown");
}

TEST(Source, BehindProxiesIsTheLastAddressThatNoneOfThemHas) {
  const auto proxies = networks("10.0.0.0/8, ::1");
  EXPECT_EQ(source_of("10.0.0.1:80", "198.51.100.1", proxies), "198.51.100.1");
  EXPECT_EQ(source_of("[::1]:80", "198.51.100.1, 10.0.0.2", proxies), "198.51.100.1");
  // What a client writes itself stands further to the front and counts for nothing.
  EXPECT_EQ(source_of("10.0.0.1:80", "1.1.1.1, 198.51.100.1", proxies), "198.51.100.1");
  EXPECT_EQ(source_of("10.0.0.1:80", "10.0.0.9", proxies), "10.0.0.9");
  EXPECT_EQ(source_of("10.0.0.1:80", "[2001:db8::1]:99", proxies), "2001:db8::1");
}

TEST(Source, OfANonsensicalHeaderIsTheProxy) {
  const auto proxies = networks("10.0.0.0/8");
  for (const char* header : {"unknown", ",", "1.1.1.1, x", "\"198.51.100.1\"", "[", "]", "[::1"}) {
    const std::string source = source_of("10.0.0.1:80", header, proxies);
    EXPECT_TRUE(source == "10.0.0.1" || source == "::1") << header << " gave " << source;
  }
}

TEST(LockoutKey, IsOneForEverythingInsideAnIpv6Network) {
  EXPECT_EQ(lockout_key("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(lockout_key("2001:db8:1:2:3:4:5:6"), lockout_key("2001:db8:1:2:ffff::1"));
  EXPECT_NE(lockout_key("2001:db8:1:2::1"), lockout_key("2001:db8:1:3::1"));
  EXPECT_EQ(lockout_key("unknown"), "unknown");
}

}  // namespace
}  // namespace otaria::server
