namespace MinimalApi.Infrastructure;

/// <summary>How slowly the sample works where a real application would wait for others; section <c>Pace</c> of appsettings.json.</summary>
internal sealed class PaceOptions
{
    /// <summary>How long the sales report takes.</summary>
    public TimeSpan Report { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the payment provider takes.</summary>
    public TimeSpan Payment { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How fast an upload is read.</summary>
    public long UploadBytesPerSecond { get; init; } = 8 * 1024 * 1024;

    public bool IsValid => Report >= TimeSpan.Zero && Payment >= TimeSpan.Zero && UploadBytesPerSecond > 0;
}
