using CsCheck;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Tests.Layers;

public sealed class KeyValueCacheTests
{
    [Fact]
    public void Places_that_are_taken_never_overlap_and_all_come_back() =>
        Gen.Int[-5, 40]
            .Array[1, 200]
            .Sample(
                steps =>
                {
                    using KeyValueCache cache = new(layers: 1, width: 2, TorchSharp.torch.CPU);
                    List<(int Start, int Count)> held = [];
                    foreach (int step in steps)
                    {
                        if (step > 0)
                        {
                            held.Add((cache.Take(step), step));
                        }
                        else if (held.Count > 0)
                        {
                            int index = -step % held.Count;
                            cache.GiveBack(held[index].Start, held[index].Count);
                            held.RemoveAt(index);
                        }
                    }

                    int[] places = [.. held.SelectMany(range => Enumerable.Range(range.Start, range.Count))];
                    bool isSound =
                        places.Distinct().Count() == places.Length
                        && places.All(place => place < cache.Capacity)
                        && cache.Taken == places.Length;
                    held.ForEach(range => cache.GiveBack(range.Start, range.Count));
                    // Whole again: all of it can be taken at once, without growing.
                    int capacity = cache.Capacity;
                    return isSound && cache.Take(capacity) == 0 && cache.Capacity == capacity;
                },
                iter: 200
            );

    [Fact]
    public unsafe void What_is_held_survives_growth()
    {
        using KeyValueCache cache = new(layers: 2, width: 3, TorchSharp.torch.CPU);
        int start = cache.Take(1);
        cache.Pointer(1)[(start * 3) + 2] = 7;

        cache.Take(10_000);

        cache.Pointer(1)[(start * 3) + 2].Should().Be(7);
    }
}
