namespace ResilientHosting.Reloading;

/// <summary>A request of a retired generation that was not left to end by itself.</summary>
internal sealed record CutRequest(string Method, string Path, RequestStage Stage)
{
    private const int MostNamed = 5;

    public override string ToString() => $"{Method} {Path} ({Stage switch
    {
        RequestStage.WebSocket => "WebSocket",
        RequestStage.EventStream => "event stream",
        RequestStage.Answering => "answer under way",
        _ => "no answer yet",
    }})";

    /// <summary>Names the first few, each kind once.</summary>
    public static string Describe(IReadOnlyList<CutRequest> requests)
    {
        var kinds = requests.CountBy(request => request).ToArray();
        var named = string.Join(", ", kinds.Take(MostNamed).Select(kind => kind.Value == 1 ? $"{kind.Key}" : $"{kind.Key} x {kind.Value}"));
        var others = kinds.Skip(MostNamed).Sum(kind => kind.Value);
        return others == 0 ? named : $"{named} and {others} more";
    }
}

/// <summary>How far a request has got.</summary>
internal enum RequestStage
{
    /// <summary>Nothing was answered so far: it works, waits (a long poll), or still receives its body.</summary>
    Unanswered,

    /// <summary>Its answer is under way.</summary>
    Answering,

    /// <summary>Its answer is a stream of events, which nothing but the client ends.</summary>
    EventStream,

    /// <summary>Its connection is a WebSocket, or another upgraded one.</summary>
    WebSocket,
}
