using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class CutRequestTests
{
    [Fact]
    public void Describe_SameRequests_AreNamedOnce() => Assert.Equal(
        "GET /feed (event stream) x 3, POST /orders (no answer yet)",
        CutRequest.Describe(
        [
            new("GET", "/feed", RequestStage.EventStream),
            new("POST", "/orders", RequestStage.Unanswered),
            new("GET", "/feed", RequestStage.EventStream),
            new("GET", "/feed", RequestStage.EventStream),
        ]));

    [Fact]
    public void Describe_ManyRequests_NamesTheFirstAndCountsTheRest()
    {
        var requests = Enumerable.Range(1, 7).Select(number => new CutRequest("GET", $"/files/{number}", RequestStage.Answering));

        var text = CutRequest.Describe([.. requests, new("GET", "/files/7", RequestStage.Answering)]);

        Assert.EndsWith("GET /files/5 (answer under way) and 3 more", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_PathWithALineBreak_StaysOneLine()
    {
        using var request = new FakeRequest().To("GET", "/a\nb c");

        Assert.Equal("GET /a%0Ab%20c (no answer yet)", request.Switched.Cut().ToString());
        Assert.True(request.RequestAborted.IsCancellationRequested);
    }
}
