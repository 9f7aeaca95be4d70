using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Matrices;

/// <summary>Takes some rows of a matrix, one after the other in memory, which is theirs only for the time of the call.</summary>
/// <param name="values">First value of the first row.</param>
/// <param name="first">Number of the first row.</param>
/// <param name="count">Number of rows.</param>
internal unsafe delegate void RowsTaker(float* values, int first, int count);

/// <summary>
/// A weight, float32 <c>[rows, columns]</c>, that hands its rows to whoever packs them, a block at a time: so that a weight
/// that is read from a file is packed while it is in the cache, and never is in memory as a whole.
/// </summary>
internal abstract class WeightMatrix(int rows, int columns)
{
    /// <summary>A block's first row is a multiple of so many, and so is its count of rows, but for the last block.</summary>
    public const int RowGroup = 16;

    /// <summary>256 KiB: a block stays in the second-level cache.</summary>
    private const int BlockValues = 1 << 16;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    /// <summary>Whether its values are where the processor can read them.</summary>
    public abstract bool IsOnCpu { get; }

    public virtual int BlockCount => (Rows + BlockRows(Columns) - 1) / BlockRows(Columns);

    /// <summary>Hands over one block. Blocks may be read in any order, on several threads at once, and more than once.</summary>
    public abstract void ReadBlock(int block, RowsTaker take);

    /// <summary>The whole, on its device. The tensor may be shared: it must not be written to.</summary>
    public virtual unsafe Tensor ToTensor()
    {
        Tensor whole = empty(Rows, Columns, dtype: ScalarType.Float32);
        float* destination = whole.FloatPointer();
        Read(
            (values, first, count) =>
            {
                nint length = (nint)count * Columns;
                Buffer.MemoryCopy(
                    values,
                    destination + ((nint)first * Columns),
                    length * sizeof(float),
                    length * sizeof(float)
                );
            }
        );
        return whole;
    }

    /// <summary>Rows of a block for rows of a length.</summary>
    public static int BlockRows(int columns) =>
        Math.Max(RowGroup, BlockValues / Math.Max(1, columns) / RowGroup * RowGroup);

    /// <summary>The rows of one block, where blocks are as <see cref="BlockRows"/> makes them.</summary>
    protected (int First, int Count) RowsOf(int block)
    {
        int blockRows = BlockRows(Columns);
        int first = block * blockRows;
        return (first, Math.Min(blockRows, Rows - first));
    }

    /// <summary>Hands over all blocks, on all cores.</summary>
    /// <remarks>What a block throws is thrown; of several the first that is found.</remarks>
    public void Read(RowsTaker take)
    {
        int blocks = BlockCount;
        if (blocks == 1)
        {
            ReadBlock(0, take);
            return;
        }

        try
        {
            Parallel.For(
                0,
                blocks,
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                block => ReadBlock(block, take)
            );
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }
    }
}
