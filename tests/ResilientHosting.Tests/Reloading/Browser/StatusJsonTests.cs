using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class StatusJsonTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly ReloadMoment Moment = new(5, 3, 4, ReloadPhase.Watching, false, null, Noon) { ServingSince = Noon };

    private static readonly ReloadRecord Reload = new(
        3, "Program.cs edited", true, Milliseconds(18), Milliseconds(6.25), Milliseconds(24), Milliseconds(60), 2, ["GET /feed (event stream)"], []) { Time = Noon };

    [Fact]
    public void Reload_TellsEachStage_AndWhatIsLeftOfTheTotalAsWaiting() => Assert.Equal(
        """{"time":"2026-11-22T12:00:00+00:00","generation":3,"reason":"Program.cs edited","succeeded":true,"waitMs":11.8,"buildMs":18,"stopMs":6.2,"startMs":24,"totalMs":60,"heldRequests":2,"cutRequests":["GET /feed (event stream)"],"errors":[]}"""
            + "\n",
        Encoding.UTF8.GetString(StatusJson.WriteLine(Reload)));

    [Fact]
    public void Reload_OfManyLongErrors_IsBounded_AndPlainText()
    {
        var errors = Enumerable.Range(1, 60).Select(number => $"\u001b[31merror {number}\u001b[0m" + new string('x', 10_000)).ToArray();

        var written = JsonDocument.Parse(StatusJson.WriteLine(Reload with { Errors = errors })).RootElement.GetProperty("errors").EnumerateArray().Select(error => error.GetString()!).ToArray();

        Assert.Equal((51, "… 10 more"), (written.Length, written[^1]));
        Assert.StartsWith("error 1xxx", written[0], StringComparison.Ordinal);
        Assert.All(written, error => Assert.InRange(error.Length, 1, 4_001));
    }

    [Fact]
    public void Status_WithoutLiveData_IsWhatEventsTell()
    {
        var json = Parse(StatusJson.Write(Moment));

        Assert.Equal((3, "watching", false, Noon), (
            json.GetProperty("generation").GetInt32(), json.GetProperty("phase").GetString(), json.GetProperty("paused").GetBoolean(),
            json.GetProperty("servingSince").GetDateTimeOffset()));
        Assert.False(json.TryGetProperty("token", out _));
        Assert.False(json.TryGetProperty("pools", out _));
    }

    [Fact]
    public void Status_OfLiveData_IsComplete()
    {
        RetiredGeneration[] retired =
        [
            new(0, AssemblyLoadContext.Default) { State = RetiredState.Collected },
            new(1, AssemblyLoadContext.Default) { State = RetiredState.Held, Causes = [new LeakCause("the thread", "end it") { Which = " (managed thread 7)" }] },
            new(2, AssemblyLoadContext.Default) { State = RetiredState.Unloading },
        ];
        var live = new LiveData(
            "Shop", true, Noon,
            [new WatchedRoot("/shop", 2, "ext4", null), new WatchedRoot("/share", 1, "cifs", "why")],
            retired,
            [new PoolUse("db", 3, 1, 2, 0, 16)],
            new AbortCounts(new Dictionary<string, long> { ["client"] = 4 }, [new SeenAbort(Noon, "client", "compute", "cancelled", null)]));

        var json = Parse(StatusJson.Write(Moment, [Reload], "secret", live));

        Assert.Equal("Shop", json.GetProperty("application").GetString());
        Assert.Equal("""[{"path":"/shop","folders":2,"fileSystem":"ext4","listedFilesOnly":false,"backend":"events","reason":null},{"path":"/share","folders":1,"fileSystem":"cifs","listedFilesOnly":false,"backend":"polling","reason":"why"}]""", json.GetProperty("watched").GetRawText());
        Assert.Equal("""[{"generation":1,"state":"held","heldBy":[{"what":"the thread (managed thread 7)","hint":"end it","kind":"leak"}]},{"generation":2,"state":"unloading","heldBy":[]}]""", json.GetProperty("retired").GetRawText());
        Assert.Equal("""[{"name":"db","generation":3,"used":1,"idle":2,"waiting":0,"max":16}]""", json.GetProperty("pools").GetRawText());
        Assert.Equal("""{"byCause":{"client":4},"latest":[{"time":"2026-11-22T12:00:00+00:00","cause":"client","phase":"compute","outcome":"cancelled","route":null}]}""", json.GetProperty("aborts").GetRawText());
        Assert.Equal("secret", json.GetProperty("token").GetString());
    }

    private static TimeSpan Milliseconds(double value) => TimeSpan.FromMilliseconds(value);

    private static JsonElement Parse(byte[] json) => JsonDocument.Parse(json).RootElement;
}
