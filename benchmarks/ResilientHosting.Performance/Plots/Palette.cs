namespace ResilientHosting.Performance;

/// <summary>Colours that people who see few colours can tell apart too (after Okabe and Ito). Ours is always the blue.</summary>
internal static class Palette
{
    public const string Ours = "#0072b2";
    public const string Peer = "#8c959f";

    private static readonly string[] Others = ["#d55e00", "#009e73", "#b8860b", "#a4508b", "#5b6770"];

    public static string Of(int series) => Others[series % Others.Length];
}
