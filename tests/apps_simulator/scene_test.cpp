#include "apps/simulator/classes.hpp"
#include "apps/simulator/headless.hpp"
#include "apps/simulator/scene/draw_list.hpp"
#include "apps/simulator/scene/meshes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

namespace vkseg::sim {
namespace {

bool same_items(const Items& a, const Items& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (a[i].mesh != b[i].mesh || a[i].material != b[i].material ||
            std::memcmp(&a[i].instance, &b[i].instance, sizeof(Instance)) != 0)
            return false;
    return true;
}

TEST(Scene, OneSeedIsOneCity) {
    World world(11), again(11), other(12);
    const Frame frame = world.drive(3.5f), same = again.drive(3.5f);
    EXPECT_TRUE(same_items(frame.items, same.items));
    EXPECT_EQ(frame.camera.position, same.camera.position);
    EXPECT_FALSE(same_items(frame.items, other.drive(3.5f).items));
}

TEST(Scene, TheWayToAFrameDoesNotMatter) {
    World driven(5), jumped(5);
    for (float time = 0; time < 30; time += 1) (void)driven.drive(time);
    EXPECT_TRUE(same_items(driven.drive(30).items, jumped.drive(30).items));
}

TEST(Scene, TrafficMovesAndHousesDoNot) {
    World world(4);
    const Items before = world.drive(1).items, after = world.drive(1.2f).items;
    const auto places = [](const Items& items, Label label) {
        std::set<std::pair<float, float>> found;
        for (const Item& item : items)
            if (item.instance.label == static_cast<uint32_t>(label))
                found.insert({item.instance.rows[0].w, item.instance.rows[2].w});
        return found;
    };
    EXPECT_NE(places(before, Label::Person), places(after, Label::Person));
    const auto fences = places(before, Label::Wall), later = places(after, Label::Wall);
    EXPECT_EQ(fences, later);
}

TEST(Scene, SplitsShareNoCity) {
    EXPECT_TRUE(same_items(dataset_frame(1, "train", 7).items, dataset_frame(1, "train", 7).items));
    EXPECT_FALSE(same_items(dataset_frame(1, "train", 7).items, dataset_frame(1, "val", 7).items));
    EXPECT_FALSE(same_items(dataset_frame(1, "train", 7).items, dataset_frame(1, "train", 8).items));
    EXPECT_FALSE(same_items(dataset_frame(1, "train", 7).items, dataset_frame(2, "train", 7).items));
}

TEST(Scene, EveryThingIsFiniteAndOfAKnownClass) {
    std::set<uint32_t> known;
    for (const SimulatedClass& each : classes) known.insert(static_cast<uint32_t>(each.label));
    for (uint64_t number = 0; number < 12; ++number) {
        const Frame frame = dataset_frame(3, "train", number);
        ASSERT_GT(frame.items.size(), 500u);
        for (const Item& item : frame.items) {
            ASSERT_TRUE(known.count(item.instance.label) == 1) << item.instance.label;
            for (const glm::vec4& row : item.instance.rows)
                for (int i = 0; i < 4; ++i) ASSERT_TRUE(std::isfinite(row[i])) << "picture " << number;
            // A mirrored shape would show its inside.
            const glm::vec4* rows = item.instance.rows;
            const float volume = glm::dot(glm::vec3(rows[0]), glm::cross(glm::vec3(rows[1]), glm::vec3(rows[2])));
            ASSERT_GT(volume, 0) << "picture " << number;
        }
    }
}

TEST(Scene, MeshesAreClosedFromOutside) {
    const MeshLibrary meshes = make_meshes();
    for (size_t mesh = 0; mesh < static_cast<size_t>(Mesh::Count); ++mesh) {
        // What is uneven by intent has folds.
        if (mesh == static_cast<size_t>(Mesh::Cone) || mesh == static_cast<size_t>(Mesh::Blob)) continue;
        const MeshRange& range = meshes.ranges[mesh];
        ASSERT_GT(range.index_count, 0u);
        ASSERT_EQ(range.index_count % 3, 0u);
        for (uint32_t i = range.first_index; i < range.first_index + range.index_count; i += 3) {
            const Vertex& a = meshes.vertices[meshes.indices[i]];
            const Vertex& b = meshes.vertices[meshes.indices[i + 1]];
            const Vertex& c = meshes.vertices[meshes.indices[i + 2]];
            const glm::vec3 face = glm::cross(b.position - a.position, c.position - a.position);
            // Counter-clockwise from where the normals point; slivers have no side.
            if (glm::length(face) <= 1e-4f) continue;
            EXPECT_GT(glm::dot(face, a.normal + b.normal + c.normal), 0) << "mesh " << mesh << " at " << i;
        }
    }
}

TEST(Scene, DrawListHoldsWhatIsAheadOnly) {
    World world(2);
    const Frame frame = world.drive(2);
    const DrawList list = make_draw_list(frame, 512, 256);
    size_t drawn = 0;
    for (const std::vector<Batch>* batches : {&list.opaque, &list.blended})
        for (const Batch& batch : *batches) {
            drawn += batch.instance_count;
            ASSERT_LE(batch.first_instance + batch.instance_count, list.instances.size());
        }
    EXPECT_GT(drawn, 200u);
    EXPECT_LT(drawn, frame.items.size());
    for (const Batch& batch : list.blended) EXPECT_GE(batch.material, first_blended_material);
}

}  // namespace
}  // namespace vkseg::sim
