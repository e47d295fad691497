#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

#include "server/store/sqlite_store.hpp"

namespace otaria::server::testing {

/// A store in a directory of its own that goes with it.
class TemporaryStore {
 public:
  TemporaryStore() {
    char name[] = "/tmp/otaria-test-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error{"no temporary directory"};
    directory_ = name;
    store_ = std::make_unique<SqliteStore>(directory_ / "otaria.db");
  }
  ~TemporaryStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  void write(const std::function<void(StoreTransaction&)>& work) { store_->write(work); }
  template <class Read>
  auto read(Read work) {
    decltype(work(std::declval<StoreView&>())) result;
    store_->read([&](StoreView& view) { result = work(view); });
    return result;
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace otaria::server::testing
