namespace ResilientHosting.Aborts;

internal enum TurnKind
{
    /// <summary>Run the work: nobody else does.</summary>
    Lead,

    /// <summary>Run the work: whoever ran it has failed.</summary>
    TakeOver,

    /// <summary>Take the result of work that was running.</summary>
    Adopt,

    /// <summary>Take a result that was kept.</summary>
    Replay,

    /// <summary>Give way to a later request with the same key.</summary>
    Superseded,

    /// <summary>The key was used with another body.</summary>
    Mismatched,
}

/// <summary>What a request with a key is to do. <paramref name="Answer"/> is set for <c>Adopt</c> and <c>Replay</c>.</summary>
internal readonly record struct Turn(TurnKind Kind, CapturedResponse? Answer = null)
{
    public bool IsToRun => Kind is TurnKind.Lead or TurnKind.TakeOver;
}
