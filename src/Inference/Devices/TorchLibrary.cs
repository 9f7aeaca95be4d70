using System.Runtime.InteropServices;
using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;

namespace Seq2Seq.Inference.Devices;

/// <summary>Loads torch, once in a process; it would load itself when it is first used, for half a second.</summary>
internal static unsafe class TorchLibrary
{
    /// <summary>What torch allocates while it is loaded, for its tables of operators: 45 MB, and some room.</summary>
    private const int HeapBytes = 56 << 20;

    /// <summary>Below 128 KiB, from where on glibc asks the system for memory of its own.</summary>
    private const int PieceBytes = 112 << 10;

    private static readonly Lock _lock = new();
    private static bool s_isLoaded;

    public static void Load()
    {
        lock (_lock)
        {
            if (!s_isLoaded)
            {
                GrowHeap();
                torch.InitializeDeviceType(DeviceType.CPU);
                s_isLoaded = true;
            }
        }
    }

    /// <summary>
    /// The heap that glibc gives a thread (all but the first have such a one) grows by what an allocation needs, a page
    /// mostly, with a call to the system each time: 11,000 of them while torch is loaded. What it has grown once it keeps, as
    /// addresses: the memory itself is given back here, and none of it was touched but a page of each piece.
    /// </summary>
    private static void GrowHeap()
    {
        void*[] pieces = new void*[HeapBytes / PieceBytes];
        for (int i = 0; i < pieces.Length; i++)
        {
            pieces[i] = NativeMemory.Alloc(PieceBytes);
        }

        nint span = (nint)pieces[^1] + PieceBytes - (nint)pieces[0];
        if (span is > 0 and < 2 * HeapBytes)
        {
            HugePages.Advise(pieces[0], (nuint)span);
        }

        // From the first on: only the last one reaches the end of the heap, and makes it shrink.
        foreach (void* piece in pieces)
        {
            NativeMemory.Free(piece);
        }
    }
}
