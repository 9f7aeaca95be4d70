// dotnet run samples/client.cs [ADDRESS]: two texts as a job, its results as they stand in order.
#:property PublishAot=false
using System.Net.Http.Json;
using System.Text.Json;

using var service = new HttpClient { BaseAddress = new Uri(args.FirstOrDefault() ?? "http://127.0.0.1:5080") };
string[] inputs = ["phonemize: wonderful", "normalize: $12.50"];
var submitted = await service.PostAsJsonAsync("/jobs", new { model = "english-tts", inputs });
var job = await submitted.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
while (job.GetProperty("finished_at").ValueKind == JsonValueKind.Null)
{
    job = await service.GetFromJsonAsync<JsonElement>($"/jobs/{job.GetProperty("id")}?wait_seconds=30");
}

Console.Write(await service.GetStringAsync($"/jobs/{job.GetProperty("id")}/results?format=text"));
