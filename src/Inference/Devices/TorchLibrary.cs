using System.Runtime;
using System.Runtime.InteropServices;
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
    private static bool s_isHeapGrown;
    private static bool s_isLoaded;

    /// <summary>
    /// Makes the heap of this thread, which is to load torch, large enough for it. The heap that glibc gives a thread (all but
    /// the first have such a one) grows by what an allocation needs, a page mostly, with a call to the system and a fault each
    /// time: 11,000 of them while torch is loaded, for half of the time that this takes. What it has grown once it keeps, as
    /// addresses: the memory itself is given back here, and none of it was touched but a page of each piece.
    /// </summary>
    public static void GrowHeap()
    {
        lock (_lock)
        {
            if (!s_isHeapGrown)
            {
                GrowHeapNow();
                s_isHeapGrown = true;
            }
        }
    }

    public static void Load()
    {
        lock (_lock)
        {
            if (!s_isLoaded)
            {
                GrowHeap();
                LoadNow();
                s_isLoaded = true;
            }
        }
    }

    // No thread can start while the system's loader is at work, and the first background collection starts one: whoever
    // allocates would wait for it. So none begins now.
    private static void LoadNow()
    {
        GCLatencyMode mode = GCSettings.LatencyMode;
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        finally
        {
            GCSettings.LatencyMode = mode;
        }
    }

    private static void GrowHeapNow()
    {
        void*[] pieces = new void*[HeapBytes / PieceBytes];
        for (int i = 0; i < pieces.Length; i++)
        {
            pieces[i] = NativeMemory.Alloc(PieceBytes);
        }

        nint span = (nint)pieces[^1] + PieceBytes - (nint)pieces[0];
        // Else it spilled into another heap, and lies in two places.
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
