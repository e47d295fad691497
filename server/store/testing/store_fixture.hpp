#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "server/store/store.hpp"

/// What the contract tests of every part of the Store port stand on.
namespace otaria::server {

/// Makes stores on a place of their own; `reopen` is what a restart of the server does.
struct StoreMaker {
  std::string name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path&)> open;
};

class StoreFixture : public testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-store-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    reopen();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  void reopen() {
    store_.reset();
    store_ = GetParam().open(directory_);
  }
  void write(const std::function<void(StoreTransaction&)>& work) { store_->write(work); }
  template <class Read>
  auto read(Read work) {
    decltype(work(std::declval<StoreView&>())) result;
    store_->read([&](StoreView& view) { result = work(view); });
    return result;
  }

  std::filesystem::path directory_;
  std::unique_ptr<Store> store_;
};

}  // namespace otaria::server
