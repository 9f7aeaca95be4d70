using System.Runtime.InteropServices;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Native memory on a cache line's boundary, freed with its owner. Kernels read and write it by pointer.</summary>
internal sealed unsafe class AlignedBuffer<T> : SafeHandle
    where T : unmanaged
{
    /// <summary>A cache line, and the widest vector register.</summary>
    public const int Alignment = 64;

    private const nuint LeastMappedBytes = 1 << 16;

    private readonly bool _isMapped;

    /// <param name="length">Number of elements.</param>
    /// <param name="isZeroed">Without, large memory costs nothing until it is written.</param>
    /// <param name="isWeight">Whether it will be written whole and then read for long: it lies in <see cref="WeightMemory"/>.</param>
    public AlignedBuffer(nint length, bool isZeroed = true, bool isWeight = false)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = Bytes;
        void* memory =
            isWeight && bytes >= LeastMappedBytes && WeightMemory.IsSupported ? WeightMemory.TryAllocate(bytes) : null;
        _isMapped = memory is not null;
        if (!_isMapped)
        {
            memory = NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), Alignment);
            if (isZeroed)
            {
                NativeMemory.Clear(memory, bytes);
            }
        }

        SetHandle((nint)memory);
    }

    public override bool IsInvalid => handle == 0;

    public nint Length { get; }

    public T* Pointer => (T*)handle;

    public Span<T> Span => new(Pointer, checked((int)Length));

    private nuint Bytes => checked((nuint)Length * (nuint)sizeof(T));

    protected override bool ReleaseHandle()
    {
        if (_isMapped)
        {
            WeightMemory.Free((void*)handle, Bytes);
        }
        else
        {
            NativeMemory.AlignedFree((void*)handle);
        }

        return true;
    }
}
