#include "operator/keys/key_reference.hpp"

#include <gtest/gtest.h>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

std::string code_of(const std::string& text) {
  try {
    parse_key_reference(text);
  } catch (const KeyError& error) {
    EXPECT_FALSE(error.hint.empty()) << text;
    EXPECT_EQ(error.kind, KeyError::Kind::usage) << text;
    return error.code;
  }
  return "accepted";
}

TEST(KeyReference, IsAFileUnlessASchemeSaysOtherwise) {
  for (const char* path : {"root.key", "/media/usb/root.key", "./cmd", "pkcs11.key", "a b?c=d"}) {
    const KeyReference reference = parse_key_reference(path);
    ASSERT_TRUE(std::holds_alternative<FileReference>(reference)) << path;
    EXPECT_EQ(std::get<FileReference>(reference).path, path);
  }
}

TEST(KeyReference, ReadsTheExampleOfRfc7512WithDecodedAttributes) {
  // RFC 7512, section 3, shortened to one of its examples with every part.
  const auto reference = parse_pkcs11_uri(
      "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;"
      "model=1.0;serial=7;slot-id=3;object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91"
      "?pin-source=file:/etc/token_pin&module-path=/opt/hsm/lib.so");
  EXPECT_EQ(reference.token, "The Software PKCS#11 Softtoken");
  EXPECT_EQ(reference.manufacturer, "Snake Oil, Inc.");
  EXPECT_EQ(reference.model, "1.0");
  EXPECT_EQ(reference.serial, "7");
  EXPECT_EQ(reference.slot, 3UL);
  EXPECT_EQ(reference.object, "my-certificate");
  EXPECT_EQ(reference.id, "\x69\x95\x3E\x5C\xF4\xBD\xEC\x91");
  EXPECT_EQ(reference.pin_file, "/etc/token_pin");
  EXPECT_EQ(reference.module_path, "/opt/hsm/lib.so");
}

TEST(KeyReference, TakesEveryWayToNameAPinFile) {
  for (const char* source : {"/etc/pin", "file:/etc/pin", "file:///etc/pin", "%2Fetc%2Fpin"}) {
    const auto uri = std::string{"pkcs11:object=a?pin-source="} + source;
    EXPECT_EQ(parse_pkcs11_uri(uri).pin_file, "/etc/pin") << source;
  }
}

TEST(KeyReference, RefusesAPinOnTheCommandLine) {
  EXPECT_EQ(code_of("pkcs11:token=a;object=b?pin-value=1234"), "pin_on_command_line");
  try {
    parse_key_reference("pkcs11:object=b?pin-value=s3cr3t");
    FAIL();
  } catch (const KeyError& error) {
    EXPECT_EQ((error.detail + error.hint).find("s3cr3t"), std::string::npos);
  }
}

TEST(KeyReference, RefusesWhatItCannotRead) {
  for (const char* text : {"",
                           "pkcs11:",
                           "pkcs11:token=a",               // no object
                           "pkcs11:object",                // no value
                           "pkcs11:=a",                    // no name
                           "pkcs11:object=a;object=b",     // twice
                           "pkcs11:object=%4",             // cut short
                           "pkcs11:object=%zz",            // not hex
                           "pkcs11:object=a;type=public",  // cannot sign
                           "pkcs11:object=a;colour=red",   // unknown, may not be ignored
                           "pkcs11:object=a;slot-id=",     //
                           "pkcs11:object=a;slot-id=-1",   //
                           "pkcs11:object=a;slot-id=99999999999999999999",
                           "pkcs11:object=a?pin-source=",      //
                           "pkcs11:object=a?pin-source=|cat",  // a program
                           "pkcs11:object=a?unknown=1",        //
                           "cmd:",                             //
                           "cmd:signer",                       // whose key?
                           "cmd:?public=key.pem",              //
                           "cmd:signer?public="}) {
    EXPECT_EQ(code_of(text), "bad_key_reference") << text;
  }
  EXPECT_EQ(code_of(std::string(5000, 'a')), "bad_key_reference");
  EXPECT_EQ(code_of(std::string("a\0b", 3)), "bad_key_reference");
}

TEST(KeyReference, NamesAProgramWithItsPublicKey) {
  const auto reference = parse_key_reference("cmd:/usr/bin/kms?public=release.pub.pem");
  ASSERT_TRUE(std::holds_alternative<CommandReference>(reference));
  EXPECT_EQ(std::get<CommandReference>(reference).program, "/usr/bin/kms");
  EXPECT_EQ(std::get<CommandReference>(reference).public_key_file, "release.pub.pem");
}

TEST(KeyReference, IsShownWithoutWhereThePinLies) {
  EXPECT_EQ(display_name("pkcs11:token=a;object=b?pin-source=/x"), "pkcs11:token=a;object=b");
  EXPECT_EQ(display_name("a?b.key"), "a?b.key");
}

}  // namespace
}  // namespace otaria::keys
