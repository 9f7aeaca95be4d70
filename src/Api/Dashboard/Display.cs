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

    public static string RateText(double? linesPerSecond) =>
        linesPerSecond switch
        {
            null => "–",
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{linesPerSecond:0.0} lines/s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{linesPerSecond:N0} lines/s"),
        };

    /// <summary>How long the job lasts yet at its rate; null when nobody can say.</summary>
    public static TimeSpan? Remaining(Job job, double? linesPerSecond) =>
        job.State == JobState.Running && linesPerSecond > 0
            ? TimeSpan.FromSeconds((job.Lines - job.LinesDone) / linesPerSecond.Value)
            : null;
}
