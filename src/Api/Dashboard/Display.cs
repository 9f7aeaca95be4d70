using System.Globalization;
using Seq2Seq.Jobs;

namespace Seq2Seq.Api.Dashboard;

/// <summary>Numbers, times and sizes as the pages write them.</summary>
internal static class Display
{
    private static readonly string[] SizeUnits = ["B", "kB", "MB", "GB", "TB"];

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);

    public static string Size(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < SizeUnits.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {SizeUnits[unit]}");
    }

    /// <summary>The two largest units: <c>2 h 5 min</c>, <c>3.4 s</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time switch
        {
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
            { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s"),
            { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.Days} d {time.Hours} h"),
        };

    public static string Seconds(double seconds) => Duration(TimeSpan.FromSeconds(seconds));

    public static string Ago(DateTimeOffset then, DateTimeOffset now) =>
        then > now ? $"in {Duration(then - now)}" : $"{Duration(now - then)} ago";

    /// <summary>A job's name, or so much of its id that jobs of one moment differ: it begins with the time in milliseconds.</summary>
    public static string NameOf(Job job) => job.Name ?? $"Job {job.Id.ToString()[..18]}";

    public static double ShareDone(Job job) => job.Lines == 0 ? 0 : (double)job.LinesDone / job.Lines;

    /// <summary>
    /// Lines a second since the job started, of one that has ended until then; null before there is anything to say, and while
    /// the job stands still.
    /// </summary>
    public static double? Rate(Job job, DateTimeOffset now)
    {
        DateTimeOffset? until = job.FinishedAt ?? (Runs(job) ? now : null);
        return until - job.StartedAt is { TotalSeconds: > 0 and var seconds } && job.LinesDone > 0
            ? job.LinesDone / seconds
            : null;
    }

    public static string RateText(double? linesPerSecond) =>
        linesPerSecond switch
        {
            null => "–",
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{linesPerSecond:0.0} lines/s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{linesPerSecond:N0} lines/s"),
        };

    /// <summary>When the job is done at the rate so far; null when nobody can say.</summary>
    public static TimeSpan? Remaining(Job job, DateTimeOffset now) =>
        Runs(job) && Rate(job, now) is { } rate ? TimeSpan.FromSeconds((job.Lines - job.LinesDone) / rate) : null;

    // A running job with an error waits for what that names.
    private static bool Runs(Job job) => job is { State: JobState.Running, ErrorCode: null };
}
