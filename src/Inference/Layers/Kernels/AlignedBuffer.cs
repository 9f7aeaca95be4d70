using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Native memory on a cache line's boundary, freed with its owner. Kernels read and write it by pointer.</summary>
internal sealed unsafe class AlignedBuffer<T> : SafeHandle
    where T : unmanaged
{
    /// <summary>A cache line, and the widest vector register.</summary>
    public const int Alignment = 64;

    /// <param name="length">Number of elements.</param>
    /// <param name="isZeroed">Without, large memory costs nothing until it is written.</param>
    /// <param name="isWeight">Whether it will be written whole and then read for long, so that huge pages pay.</param>
    public AlignedBuffer(nint length, bool isZeroed = true, bool isWeight = false)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        bool isHuge = isWeight && bytes >= HugePages.Size;
        void* memory = NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), isHuge ? HugePages.Size : Alignment);
        if (isHuge)
        {
            HugePages.Advise(memory, bytes);
        }

        if (isZeroed)
        {
            NativeMemory.Clear(memory, bytes);
        }

        SetHandle((nint)memory);
        Length = length;
    }

    public override bool IsInvalid => handle == 0;

    public nint Length { get; }

    public T* Pointer => (T*)handle;

    public Span<T> Span => new(Pointer, checked((int)Length));

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
