using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Calibration;

/// <summary>The lines on which compute types are compared: of a file, or general ones in a dozen languages.</summary>
internal static class CalibrationSample
{
    /// <summary>More lines of a file are not read: each is decoded several times at load.</summary>
    public const int MostLines = 64;

    private const string General = """
        hello
        The quick brown fox jumps over the lazy dog.
        Please send the signed contract by Friday, 12 March 2027, at 5:30 pm.
        The meeting was moved from Tuesday to Thursday because two of the speakers are ill.
        Revenue rose by 12.5 % to $4,310,000, while costs fell slightly.
        she dont know where the keys is
        I has received you're letter yesterday and will answers soon.
        Dr. Smith lives at 221B Baker St., London NW1 6XE.
        How much does it cost to send a parcel of 3 kg to Norway?
        Researchers have found that the birds return to the same valley each spring, although the winters there have become warmer.
        Open the file, change the third line, save it, and start the program again.
        "No," she said, "that is not what we agreed on."
        wonderful
        antidisestablishmentarianism
        E = mc²; x ≥ 0; 3 × 4 = 12
        https://example.org/a?b=c
        Der Zug nach München fährt heute zwanzig Minuten später ab.
        Können Sie mir bitte sagen, wie spät es ist?
        Le musée est fermé le lundi et les jours fériés.
        Où avez-vous acheté ces chaussures ?
        El niño comió tres manzanas y después se durmió.
        A reunião começará às nove horas da manhã.
        Il treno è arrivato con dieci minuti di ritardo.
        De kinderen spelen buiten, hoewel het regent.
        Dziękuję bardzo za pomoc w zeszłym tygodniu.
        Сегодня хорошая погода, и мы пойдём в парк.
        今日はとても暑いです。
        请把这份文件翻译成英文。
        오늘 회의는 오후 세 시에 시작합니다.
        كيف حالك اليوم؟
        मुझे यह किताब बहुत पसंद है।
        Ülkenin en büyük gölü doğudadır.
        """;

    /// <param name="file">A text file, UTF-8, a line each; null takes the general lines.</param>
    /// <exception cref="LoadRefusedException">The file can't be read, or has no line with text.</exception>
    public static IReadOnlyList<SequenceInput> Read(string? file)
    {
        string[] lines =
        [
            .. (file is null ? General.Split('\n') : Lines(file))
                .Where(line => !string.IsNullOrWhiteSpace(line))
                .Take(MostLines)
                .Select(line => line.TrimEnd('\r')),
        ];
        return lines.Length > 0
            ? [.. lines.Select(SequenceInput.FromText)]
            : throw new LoadRefusedException(
                LoadCodes.CalibrationInvalid,
                $"The calibration file '{file}' has no line with text; expected a source line in each."
            );
    }

    private static IEnumerable<string> Lines(string file)
    {
        try
        {
            return [.. File.ReadLines(file).Take(MostLines)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new LoadRefusedException(
                LoadCodes.CalibrationInvalid,
                $"The calibration file '{file}' can't be read: {exception.Message}",
                exception
            );
        }
    }
}
