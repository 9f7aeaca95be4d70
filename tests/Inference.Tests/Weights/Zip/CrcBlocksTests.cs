using CsCheck;
using Seq2Seq.Inference.Weights.Zip;
using Crc32 = System.IO.Hashing.Crc32;

namespace Seq2Seq.Inference.Tests.Weights.Zip;

public sealed class CrcBlocksTests
{
    [Fact]
    public void The_checksums_of_two_blocks_make_that_of_both() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Byte.Array[0, 300])
            .Sample(
                (first, second) =>
                    CrcBlocks
                        .Combine(Crc32.HashToUInt32(first), Crc32.HashToUInt32(second), second.Length)
                        .Should()
                        .Be(Crc32.HashToUInt32([.. first, .. second]))
            );
}
