#include "contract/url.hpp"

#include <gtest/gtest.h>

#include "contract/packet.hpp"

namespace otaria::contract {
namespace {

TEST(Url, HttpAndHttpsWithAHostAreTaken) {
  for (std::string_view url : {"http://h",
                               "https://h/",
                               "http://127.0.0.1:8080/firmware/x.bin",
                               "https://fw.example?x=1",
                               "http://h#f",
                               "http://h:65535/a%20b",
                               "http://[::1]/",
                               "http://[2001:db8::1]:80",
                               "https://h/a@b:c/[d]!$&'()*+,;=~-._"}) {
    EXPECT_TRUE(is_url(url)) << url;
  }
}

TEST(Url, EverythingElseIsNot) {
  for (std::string_view url : {"",
                               "h",
                               "http",
                               "http:",
                               "http:/h",
                               "http://",
                               "http:///x",
                               "http://?x",
                               "http://#f",
                               "http://:80",
                               "HTTP://h",
                               "Https://h",
                               "ftp://h",
                               "file:///etc/passwd",
                               "//h/x",
                               " http://h",
                               "http://h ",
                               "http://h/ x",
                               "http://u@h/",
                               "http://u:p@h/",
                               "http://h:/",
                               "http://h:0/",
                               "http://h:65536/",
                               "http://h:99999999999/",
                               "http://h:8o/",
                               "http://h:-1/",
                               "http://[]/",
                               "http://[/",
                               "http://[::1/",
                               "http://[::1]x/",
                               "http://h/\"",
                               "http://h/<",
                               "http://h/>",
                               "http://h/\\",
                               "http://h/^",
                               "http://h/`",
                               "http://h/{x}",
                               "http://h/|",
                               "http://h/\x7f",
                               "http://h/\r\nA: b",
                               "http://h/\xC3\xA4",
                               "javascript:alert(1)//http://h"}) {
    EXPECT_FALSE(is_url(url)) << url;
  }
  EXPECT_FALSE(is_url(std::string_view{"http://h/\0", 10}));
}

TEST(Packet, LengthsAreThoseOfTheMqttStandard) {
  // Fixed header 1, remaining length 1, topic 2 + 1, packet id 2, property length 1.
  EXPECT_EQ(publish_packet_bytes(1, 0), 8U);
  EXPECT_EQ(publish_packet_bytes(1, 121), 129U);  // remaining length 127: one byte says it
  EXPECT_EQ(publish_packet_bytes(1, 122), 131U);  // 128: two
}

TEST(Packet, TheLargestPayloadFillsThePacketAndNoMore) {
  for (std::size_t topic = 1; topic < 64; ++topic) {
    EXPECT_EQ(publish_packet_bytes(topic, max_payload_bytes(topic)), max_packet_bytes);
  }
}

TEST(Url, OriginIsSchemeAndAuthority) {
  EXPECT_EQ(origin_of("https://fw.example/manifests/a.jws"), "https://fw.example");
  EXPECT_EQ(origin_of("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
  EXPECT_EQ(origin_of("https://[::1]:8443/a"), "https://[::1]:8443");
  EXPECT_EQ(origin_of("https://h?a=//b"), "https://h");
  EXPECT_EQ(origin_of("https://h#x/y"), "https://h");
  EXPECT_EQ(origin_of("/keys.jws"), "");
  EXPECT_EQ(origin_of(""), "");
}

}  // namespace
}  // namespace otaria::contract
