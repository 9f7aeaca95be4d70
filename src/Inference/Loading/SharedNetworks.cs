using System.Diagnostics;
using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Families;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// The networks of this process that stand on the CPU. Whoever loads what is there already, from the same files as the same
/// compute type, gets the same network: its weights are only read. It is freed with its last holder.
/// </summary>
internal static class SharedNetworks
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, Entry> s_entries = new(StringComparer.Ordinal);

    /// <summary>Loads a network, or joins the holders of an equal one; waits while another loads it.</summary>
    /// <exception cref="ModelLoadException">No try filled every weight; the report has every one.</exception>
    public static LoadedNetwork Load(
        ModelLoadOptions options,
        FamilyRegistry families,
        CancellationToken cancellationToken
    )
    {
        if (options.Device.IsCuda || Identity(options) is not { } identity)
        {
            return LoadPlan.Load(options, families, cancellationToken);
        }

        long start = Stopwatch.GetTimestamp();
        Entry entry = Join(identity);
        try
        {
            entry.Gate.Wait(cancellationToken);
            try
            {
                bool isShared = entry.Loaded is not null;
                LoadedNetwork loaded = entry.Loaded ??= LoadPlan.Load(options, families, cancellationToken);
                LoadReport report = isShared
                    ? Joined(options, loaded.Report, Stopwatch.GetElapsedTime(start))
                    : loaded.Report;
                return loaded.HeldBy(report, () => Leave(identity, entry));
            }
            finally
            {
                entry.Gate.Release();
            }
        }
        catch
        {
            Leave(identity, entry);
            throw;
        }
    }

    private static LoadReport Joined(ModelLoadOptions options, LoadReport first, TimeSpan elapsed) =>
        first with
        {
            Model = options.Name,
            Folder = options.Folder,
            Device = options.Device.ToString(),
            Seconds = elapsed.TotalSeconds,
            Tries = [first.Tries[^1] with { Seconds = elapsed.TotalSeconds }],
            Notes = [.. first.Notes, "Another slot of this process holds the same weights: they are in memory once."],
        };

    /// <summary>What a network is loaded from: how it computes, and every file of the folder with its length and time.</summary>
    /// <returns>Null where that can't be said; loading says why.</returns>
    public static string? Identity(ModelLoadOptions options)
    {
        try
        {
            string folder = ModelFolder.Open(options.Folder).FullPath;
            StringBuilder identity = new();
            string computation = $"{options.ComputeType} {options.AsPublished}";
            identity.Append(CultureInfo.InvariantCulture, $"{computation}\n{Path.GetFullPath(folder)}\n");
            foreach (
                FileInfo file in new DirectoryInfo(folder)
                    .EnumerateFiles()
                    .OrderBy(file => file.Name, StringComparer.Ordinal)
            )
            {
                // In the hub's cache files are links to what their contents are named after.
                FileSystemInfo target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
                identity.Append(
                    CultureInfo.InvariantCulture,
                    $"{file.Name} {target.FullName} {((FileInfo)target).Length} {target.LastWriteTimeUtc.Ticks}\n"
                );
            }

            return identity.ToString();
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or LoadRefusedException)
        {
            return null;
        }
    }

    private static Entry Join(string identity)
    {
        lock (s_lock)
        {
            if (!s_entries.TryGetValue(identity, out Entry? entry))
            {
                s_entries.Add(identity, entry = new Entry());
            }

            entry.Holders++;
            return entry;
        }
    }

    private static void Leave(string identity, Entry entry)
    {
        lock (s_lock)
        {
            if (--entry.Holders > 0)
            {
                return;
            }

            s_entries.Remove(identity);
        }

        entry.Loaded?.Dispose();
        entry.Gate.Dispose();
    }

    private sealed class Entry
    {
        /// <summary>Held by the one that loads.</summary>
        public SemaphoreSlim Gate { get; } = new(1);

        /// <summary>Those that hold the network, or wait for it.</summary>
        public int Holders { get; set; }

        public LoadedNetwork? Loaded { get; set; }
    }
}
