namespace Extra;

public static class More
{
    public static string Text => "more";
}
