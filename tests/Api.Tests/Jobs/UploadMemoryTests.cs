using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Seq2Seq.Api.Tests.Jobs;

[Collection(Alone)]
public sealed class UploadMemoryTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Alone = "measures the memory of this process";
    private const int FileBytes = 160 * 1024 * 1024;
    private const int MostGrowthBytes = 96 * 1024 * 1024;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_large_file_is_stored_as_it_arrives(bool asForm)
    {
        using var file = new GeneratedLines(FileBytes);
        using HttpContent content = asForm
            ? new MultipartFormDataContent { { new StringContent("capitals"), "model" }, { file, "file", "big.txt" } }
            : file;
        GC.Collect();
        long before = Process.GetCurrentProcess().WorkingSet64;

        HttpResponseMessage response = await api.Client.PostAsync(
            asForm ? "/jobs" : "/jobs?model=capitals",
            content,
            TestContext.Current.CancellationToken
        );

        response.StatusCode.Should().Be(HttpStatusCode.Accepted);
        System.Text.Json.JsonElement job = await response.ReadAsync();
        job.GetProperty("lines").GetInt64().Should().Be(file.Lines);
        (file.PeakWorkingSet - before).Should().BeLessThan(MostGrowthBytes);
        await api.Client.PostAsync(
            $"/jobs/{job.GetProperty("id").GetGuid()}/cancel",
            content: null,
            TestContext.Current.CancellationToken
        );
    }

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class AloneCollection;

    /// <summary>A file that exists only while it is sent, and watches the process's memory on the way.</summary>
    private sealed class GeneratedLines : HttpContent
    {
        private readonly byte[] _block;
        private readonly int _blocks;

        public GeneratedLines(int bytes)
        {
            _block = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 511) + "\n", 512)));
            _blocks = bytes / _block.Length;
            Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        }

        public long Lines => _blocks * 512L;

        public long PeakWorkingSet { get; private set; }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int block = 0; block < _blocks; block++)
            {
                await stream.WriteAsync(_block);
                if (block % 16 == 0)
                {
                    PeakWorkingSet = Math.Max(PeakWorkingSet, Process.GetCurrentProcess().WorkingSet64);
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = (long)_blocks * _block.Length;
            return true;
        }
    }
}
