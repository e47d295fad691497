#include "simulator/faults/control_file.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "simulator/chip/temporary_folder.hpp"

namespace otaria::simulator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ControlFileTest : public testing::Test {
 protected:
  void append(const std::string& text) { std::ofstream{path_, std::ios::app} << text; }
  /// As an editor saves: another file takes the name.
  void rewrite(const std::string& text) {
    std::ofstream{folder_ / "new"} << text;
    std::filesystem::rename(folder_ / "new", path_);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control";
  ControlFile control_{path_};
};

TEST_F(ControlFileTest, AFileThatIsNotThereSaysNothing) {
  EXPECT_THAT(control_.new_lines(), IsEmpty());
}

TEST_F(ControlFileTest, LinesThereAtTheStartCountAndEachCountsOnce) {
  append("slow-flash=1\nclear\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("slow-flash=1", "clear"));
  EXPECT_THAT(control_.new_lines(), IsEmpty());
}

TEST_F(ControlFileTest, AppendedLinesComeAlone) {
  append("clear\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("clear"));
  append("power-cut\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("power-cut"));
}

TEST_F(ControlFileTest, ALineCountsWhenItIsWhole) {
  append("power-");
  EXPECT_THAT(control_.new_lines(), IsEmpty());
  append("cut\nclea");
  EXPECT_THAT(control_.new_lines(), ElementsAre("power-cut"));
  append("r\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("clear"));
}

TEST_F(ControlFileTest, ARewrittenFileIsReadAsAWholeEvenWhenTheTextIsTheSame) {
  append("power-cut\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("power-cut"));
  rewrite("power-cut\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("power-cut"));
  rewrite("crash\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("crash"));
}

TEST_F(ControlFileTest, BlanksCommentsAndCarriageReturnsAreLeftOut) {
  append("\n  # a note\n  clear \r\n");
  EXPECT_THAT(control_.new_lines(), ElementsAre("clear"));
}

}  // namespace
}  // namespace otaria::simulator
