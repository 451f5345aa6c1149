using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The status as scripts, agents and the page read it.</summary>
internal static class StatusJson
{
    // An edit may break thousands of places, and a reload cut thousands of requests.
    private const int MostTexts = 50;
    private const int LongestText = 4_000;

    public static byte[] Write(ReloadMoment moment, IReadOnlyList<ReloadRecord>? history = null, string? token = null, LiveData? live = null) => JsonBytes.Write(json =>
    {
        json.WriteNumber("generation", moment.Generation);
        json.WriteString("phase", NameOf(moment.Phase));
        json.WriteBoolean("paused", moment.IsPaused);
        json.WriteNumber("attempt", moment.Attempt);
        json.WriteNumber("revision", moment.Revision);
        json.WriteString("since", moment.Since);
        json.WriteString("servingSince", moment.ServingSince);
        json.WriteNumber("processId", Environment.ProcessId);
        json.WriteString("id", GenerationId.Of(moment.Generation));
        json.WritePropertyName("failure");
        FailureJson.Write(json, moment.Failure);
        if (history is not null)
        {
            json.WriteObjects("history", history, Write);
        }

        if (live is not null)
        {
            LiveJson.Write(json, live);
        }

        if (token is not null)
        {
            json.WriteString("token", token);
        }
    });

    /// <summary>Writes the static files that have changed since the one with this number.</summary>
    public static byte[] WriteFiles(ReloadMoment moment, int after) => JsonBytes.Write(json =>
    {
        json.WriteNumber("latest", moment.LatestFile);
        json.WriteStrings("paths", moment.Files.Where(file => file.Number > after).Select(file => file.Path).Distinct());
    });

    public static byte[] WriteLine(ReloadRecord record) => [.. JsonBytes.Write(json => Write(json, record)), (byte)'\n'];

    private static void Write(Utf8JsonWriter json, ReloadRecord record)
    {
        json.WriteString("time", record.Time);
        json.WriteNumber("generation", record.Generation);
        json.WriteString("reason", record.Reason);
        json.WriteBoolean("succeeded", record.Succeeded);
        json.WriteNumber("waitMs", Math.Max(0, Milliseconds(record.Total - record.Build - record.Stop - record.Start)));
        json.WriteNumber("buildMs", Milliseconds(record.Build));
        json.WriteNumber("stopMs", Milliseconds(record.Stop));
        json.WriteNumber("startMs", Milliseconds(record.Start));
        json.WriteNumber("totalMs", Milliseconds(record.Total));
        json.WriteNumber("heldRequests", record.HeldRequests);
        WriteTexts(json, "cutRequests", record.CutRequests);
        WriteTexts(json, "errors", record.Errors);
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        var shown = texts.Take(MostTexts).Select(text => PlainText.Of(text, LongestText));
        json.WriteStrings(name, texts.Count > MostTexts ? shown.Append($"… {texts.Count - MostTexts} more") : shown);
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

    private static string NameOf(ReloadPhase phase) => phase switch
    {
        ReloadPhase.Starting => "starting",
        ReloadPhase.Watching => "watching",
        ReloadPhase.Building => "building",
        _ => "swapping",
    };
}
