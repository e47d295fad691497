#include "contract/device/status_writer.hpp"

#include "contract/device/json_writer.hpp"

namespace otaria::contract {
namespace {

void write_error(JsonWriter& json, const StatusError& error) {
  json.name("error");
  json.begin_object();
  json.member("code", name_of(error.fault));
  json.member("detail", error.detail);
  json.member("hint", error.hint);
  json.end_object();
}

}  // namespace

std::size_t write_status(const StatusFields& fields, std::span<char> out) {
  JsonWriter json{out};
  json.begin_object();
  json.member("id", fields.id);
  json.member("version", fields.version);
  if (!fields.build.empty()) json.member("build", fields.build);
  if (!fields.update.empty()) json.member("update", fields.update);
  if (!fields.target.empty()) json.member("target", fields.target);
  json.member("state", name_of(fields.state));
  if (fields.progress) {
    json.member("progress", fields.progress->percent);
    json.member("bytes", fields.progress->bytes);
    json.member("total", fields.progress->total);
  }
  if (fields.error) write_error(json, *fields.error);
  json.member("seq", fields.seq);
  if (fields.at) json.member("at", *fields.at);
  json.end_object();
  return json.finish();
}

}  // namespace otaria::contract
